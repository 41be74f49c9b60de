// y = a - b * floor(a / b), of the sign of b; with fmod a - b * trunc(a / b), of the sign of a.
#include <cmath>

#include "op/op_binary.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"fmod", "0", "1: the rest has the sign of a, as C has it"}};
constexpr Foreign from[] = {{Format::onnx, "Mod"}, {Format::tflite, "FLOOR_MOD"}};

template <class T>
T rest(T a, T b, bool like_c) {
  if constexpr (std::is_floating_point_v<T>) {
    const T r = std::fmod(a, b);
    return !like_c && r != 0 && (r < 0) != (b < 0) ? r + b : r;
  } else {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return 0;
      const T r = static_cast<T>(a % b);
      return !like_c && r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
    } else {
      return static_cast<T>(a % b);
    }
  }
}

Result<void> eval(EvalContext& c) {
  const bool like_c = c.view.attrs().integer("fmod", 0) != 0;
  return eval_binary(c, nullptr, "Mod", [&](auto a, auto b) { return rest(a, b, like_c); });
}

}  // namespace

extern constinit const OpDef op_mod = {
    .name = "Mod",
    .meaning = "y = a - b * floor(a / b), or with fmod a - b * trunc(a / b)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = binary_facts,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
