// y[i0, i1, ...] = x[j0, j1, ...] with j[perm[d]] = i[d]
#include <algorithm>

#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"perm", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"perm", "reversed axes", "x's axis for each of y's axes, when it is no input"}};
constexpr Foreign from[] = {{Format::onnx, "Transpose"}, {Format::tflite, "TRANSPOSE"}};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<1>},
    {codes_rule, first_keeps_codes},
};

Result<std::vector<std::size_t>> permutation(const NodeView& n) {
  const std::size_t rank = n.input(0).shape.size();
  Shape reversed =
      index_run(static_cast<std::int64_t>(rank) - 1, static_cast<std::int64_t>(rank), -1);
  const auto asked = integers_at(n, 1, "perm").value_or(std::move(reversed));
  if (asked.size() != rank)
    return Error{n.where(), "perm " + shape_text(asked), std::to_string(rank) + " axes, each once",
                 ""};
  return normal_axes(n, asked, rank);
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const auto perm, permutation(n));
  const Value& x = n.input(0);
  Shape y;
  int channels = -1;
  for (std::size_t d = 0; d < perm.size(); ++d) {
    y.push_back(x.shape[perm[d]]);
    if (static_cast<int>(perm[d]) == x.quant.axis) channels = static_cast<int>(d);
  }
  return std::vector<Facts>{{x.dtype, y, quant_on_axis(x.quant, channels)}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const auto perm, permutation(c.view));
  const Tensor& x = *c.in[0];
  const Shape from_strides = strides_of(x.shape());
  Shape strides;
  for (const std::size_t axis : perm) strides.push_back(from_strides[axis]);
  copy_strided(x, c.out[0].shape(), strides, 0, c.out[0]);
  return {};
}

}  // namespace

extern constinit const OpDef op_transpose = {
    .name = "Transpose",
    .meaning = "y[i0, i1, ...] = x[j0, j1, ...] with j[perm[d]] = i[d]",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
