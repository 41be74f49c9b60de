// y[n, place] = theta[n] * (place, 1): places from -1 to 1 on each axis, the innermost first
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"theta"}, {"size"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"align_corners", "0",
     "1: -1 and 1 are the centres of the outermost elements, else their edges"}};
constexpr Rule rules[] = {
    {"size is a constant of 4 or 5 integers, or follows from constants",
     [](const NodeView& n) {
       return constant_if_there(n, 1) && n.constant(1) &&
              (n.constant(1)->count() == 4 || n.constant(1)->count() == 5);
     }},
    {"theta is float32 [n, axes, axes + 1]",
     [](const NodeView& n) {
       const std::int64_t axes = n.constant(1)->count() - 2;
       return n.input(0).dtype == DType::f32 &&
              n.input(0).shape == Shape{n.constant(1)->code(0), axes, axes + 1};
     }},
};
constexpr Foreign from[] = {{Format::onnx, "AffineGrid"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Shape size = integers_of(*n.constant(1));
  Shape y = {size[0]};
  y.insert(y.end(), size.begin() + 2, size.end());
  y.push_back(std::ssize(size) - 2);
  for (const std::int64_t extent : y)
    if (extent < 1)
      return Error{n.where(), "an extent of " + std::to_string(extent), "extents of at least 1",
                   ""};
  return std::vector<Facts>{{DType::f32, y, {}}};
}

// Element i of n places from -1 to 1, in float32.
float place(std::int64_t i, std::int64_t n, bool corners) {
  const auto count = static_cast<float>(n);
  const float step = n > 1 ? 2.0f / static_cast<float>(n - 1) : 0.0f;
  const float even = n > 1 && i == n - 1 ? 1.0f : static_cast<float>(i) * step + -1.0f;
  return corners ? even : even * static_cast<float>(n - 1) / count;
}

Result<void> eval(EvalContext& c) {
  const Shape& y = c.out[0].shape();
  const auto theta = c.in[0]->as<float>();
  const bool corners = c.view.attrs().integer("align_corners", 0) != 0;
  const std::size_t axes = y.size() - 2;
  std::vector<float> at(axes);
  for (std::int64_t i = 0; i < c.out[0].count() / y.back(); ++i) {
    std::int64_t rest = i;
    for (std::size_t d = 0; d < axes; ++d) {
      const std::int64_t extent = y[axes - d];
      at[d] = place(rest % extent, extent, corners);
      rest /= extent;
    }
    for (std::size_t row = 0; row < axes; ++row) {
      const float* const t =
          theta.data() + (static_cast<std::size_t>(rest) * axes + row) * (axes + 1);
      float sum = t[0] * at[0];
      for (std::size_t d = 1; d < axes; ++d) sum += t[d] * at[d];
      c.out[0].as<float>()[static_cast<std::size_t>(i) * axes + row] = sum + t[axes];
    }
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_affine_grid = {
    .name = "AffineGrid",
    .meaning = "y[n, place] = theta[n] * (place, 1)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
