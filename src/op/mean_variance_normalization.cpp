// y = (x - mean) / sqrt(variance), over the axes
#include <cmath>

#include "num/real_functions.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"axes", "0, 2, 3", "the axes over which mean and variance are taken"}};
constexpr Rule rules[] = {
    {"x is float32", [](const NodeView& n) { return n.input(0).dtype == DType::f32; }}};
constexpr Foreign from[] = {{Format::onnx, "MeanVarianceNormalization"}};

Result<std::vector<std::size_t>> axes_of(const NodeView& n) {
  return normal_axes(n, n.attrs().integers("axes", {0, 2, 3}), n.input(0).shape.size());
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY([[maybe_unused]] const auto axes, axes_of(n));
  return std::vector<Facts>{{DType::f32, n.input(0).shape, {}}};
}

// One group as a row; the row itself becomes the result.
void normalize(const RealFunctions* own, std::vector<float>& row) {
  const auto count = static_cast<double>(row.size());
  if (own && own->reduce) {
    const std::vector<std::int64_t> shape{std::ssize(row)};
    const std::vector<std::uint8_t> all{1};
    float mean = 0, square = 0;
    own->reduce(RealReduction::mean, row, shape, all, {&mean, 1});
    std::vector<float> squares(row.size());
    for (std::size_t i = 0; i < row.size(); ++i)
      row[i] = row[i] - mean, squares[i] = row[i] * row[i];
    own->reduce(RealReduction::mean, squares, shape, all, {&square, 1});
    for (float& v : row) v = v / std::sqrt(square);
    return;
  }
  double sum = 0, squares = 0;
  for (const float v : row) sum += v;
  for (const float v : row) squares += (v - sum / count) * (v - sum / count);
  for (float& v : row) v = static_cast<float>((v - sum / count) / std::sqrt(squares / count));
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const auto axes, axes_of(c.view));
  const Shape& shape = c.in[0]->shape();
  std::vector<bool> over(shape.size(), false);
  for (const std::size_t axis : axes) over[axis] = true;
  const auto x = c.in[0]->as<float>();
  std::int64_t groups = 1;
  for (std::size_t d = 0; d < shape.size(); ++d) groups *= over[d] ? 1 : shape[d];
  std::vector<std::vector<std::size_t>> members(static_cast<std::size_t>(groups));
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(i), group = 0, step = 1;
    for (std::size_t d = shape.size(); d-- > 0; rest /= shape[d])
      if (!over[d]) group += rest % shape[d] * step, step *= shape[d];
    members[static_cast<std::size_t>(group)].push_back(i);
  }
  for (const auto& group : members) {
    std::vector<float> row;
    for (const std::size_t i : group) row.push_back(x[i]);
    normalize(c.num.real.functions, row);
    for (std::size_t i = 0; i < group.size(); ++i) c.out[0].as<float>()[group[i]] = row[i];
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_mean_variance_normalization = {
    .name = "MeanVarianceNormalization",
    .meaning = "y = (x - mean) / sqrt(variance), over the axes",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
