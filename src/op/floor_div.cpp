// y = floor(a / b), spread to one shape
#include <cmath>

#include "op/op_binary.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Foreign from[] = {{Format::tflite, "FLOOR_DIV"}};

Result<void> eval(EvalContext& c) {
  return eval_binary(c, nullptr, "FloorDiv", [](auto a, auto b) {
    using T = decltype(a);
    if constexpr (std::is_floating_point_v<T>) {
      return static_cast<T>(std::floor(a / b));
    } else {
      if (b == 0) return T{0};
      const T quotient = wrapping_div(a, b);
      return static_cast<T>(quotient * b != a && (a < 0) != (b < 0) ? quotient - 1 : quotient);
    }
  });
}

}  // namespace

extern constinit const OpDef op_floor_div = {
    .name = "FloorDiv",
    .meaning = "y = floor(a / b)",
    .inputs = inputs,
    .outputs = outputs,
    .infer = binary_facts,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
