// y = x with the block that begins at `start` replaced by the update; a start is held so that the
// block lies inside
#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"update"}, {"start"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Rule rules[] = {
    {"x and the update have one type and one rank, scale and zero point",
     [](const NodeView& n) {
       return n.input(0).dtype == n.input(1).dtype &&
              n.input(0).shape.size() == n.input(1).shape.size() &&
              n.input(0).quant == n.input(1).quant;
     }},
    {"the start is int32 or int64, one number for each axis",
     [](const NodeView& n) {
       const Value& s = n.input(2);
       return (s.dtype == DType::i32 || s.dtype == DType::i64) &&
              s.shape == Shape{std::ssize(n.input(0).shape)};
     }},
    {"the update is no larger than x",
     [](const NodeView& n) {
       const Shape &x = n.input(0).shape, &u = n.input(1).shape;
       for (std::size_t i = 0; i < std::min(x.size(), u.size()); ++i)
         if (u[i] > x[i]) return false;
       return true;
     }},
    {codes_rule, first_keeps_codes},
};
constexpr Foreign from[] = {{Format::tflite, "DYNAMIC_UPDATE_SLICE"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  return std::vector<Facts>{{x.dtype, x.shape, x.quant}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_CHECK(copy_whole(c));
  const Tensor& update = *c.in[1];
  const Shape &x = c.in[0]->shape(), &u = update.shape(), strides = strides_of(x);
  std::int64_t first = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    first += std::clamp<std::int64_t>(c.in[2]->code(static_cast<std::int64_t>(i)), 0, x[i] - u[i]) *
             strides[i];
  const std::size_t bytes = size_of(update.dtype());
  const Shape inner = strides_of(u);
  for (std::int64_t i = 0; i < update.count(); ++i) {
    std::int64_t at = first, rest = i;
    for (std::size_t d = 0; d < u.size(); ++d) at += rest / inner[d] * strides[d], rest %= inner[d];
    std::memcpy(c.out[0].bytes().data() + static_cast<std::size_t>(at) * bytes,
                update.bytes().data() + static_cast<std::size_t>(i) * bytes, bytes);
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_dynamic_update_slice = {
    .name = "DynamicUpdateSlice",
    .meaning =
        "y = x with the block that begins at start replaced by the update; a start is held so that "
        "the block lies inside",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
