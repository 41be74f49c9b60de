// What ONNX's Resize and Upsample say, opset by opset.
#include "op/op_resize.h"

#include <cmath>

namespace lockstep {
namespace {

// Scales, or sizes under an aspect policy, of some axes or all.
Result<void> set_extents(const ForeignNode& f, const Shape& x, const Tensor* scales, const Tensor* sizes,
                         const std::vector<std::int64_t>& axes, Attrs& a) {
  std::vector<double> factors(x.size(), 1);
  Shape shape = x;
  const std::string policy = f.attrs.text("keep_aspect_ratio_policy", "stretch");
  const Tensor& given = sizes ? *sizes : *scales;
  if (given.count() != std::ssize(axes))
    return Error{f.where, std::to_string(given.count()) + " scales or sizes", std::to_string(axes.size()) + ", one per axis", ""};
  std::optional<float> common;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto d = static_cast<std::size_t>(axes[i]);
    const auto extent = static_cast<float>(x[d]);
    const double number = given.number(static_cast<std::int64_t>(i));
    if (!(number > 0 && number < 1e9)) return Error{f.where, "scale or size " + std::to_string(number), "a positive one", ""};
    const float scale = sizes ? static_cast<float>(number) / extent : static_cast<float>(number);
    factors[d] = scale;
    shape[d] = sizes ? static_cast<std::int64_t>(number) : static_cast<std::int64_t>(scale * extent);
    common = !common ? scale : policy == "not_larger" ? std::min(*common, scale) : std::max(*common, scale);
  }
  if (sizes && common && policy != "stretch")
    for (const std::int64_t axis : axes) {
      const auto d = static_cast<std::size_t>(axis);
      factors[d] = *common;
      shape[d] = static_cast<std::int64_t>(std::floor(*common * static_cast<float>(x[d]) + 0.5f));
    }
  a.set("shape", std::move(shape));
  a.set("scales", std::move(factors));
  return {};
}

Result<const Tensor*> filled(const ForeignNode& f, const GraphBuilder& graph, std::size_t i, std::string_view name) {
  LOCKSTEP_TRY(const Tensor* const t, constant_input(f, graph, i, name));
  return t && t->count() > 0 ? t : nullptr;
}

}  // namespace

Result<void> resize_from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"antialias", "axes", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside",
                                      "extrapolation_value", "keep_aspect_ratio_policy", "mode", "nearest_mode", "scales"}));
  if (!has_input(f, 0)) return Error{f.where, "no input", "x", ""};
  const bool old = f.version < 11 || f.op == "Upsample";
  LOCKSTEP_TRY(const Tensor* scales, filled(f, graph, old ? 1 : 2, "scales"));
  LOCKSTEP_TRY(const Tensor* const sizes, filled(f, graph, 3, "sizes"));
  LOCKSTEP_TRY(const Tensor* const roi, filled(f, graph, 1, "roi"));
  const auto listed = f.attrs.reals("scales");
  const Tensor from_attr = Tensor::of<double>({std::ssize(listed)}, listed);
  if (!scales && !sizes && !listed.empty()) scales = &from_attr;
  if ((scales != nullptr) == (sizes != nullptr)) return Error{f.where, scales ? "scales and sizes" : "neither scales nor sizes", "one of both", ""};
  const Shape x = input_of(f, graph, 0).shape;
  auto axes = f.attrs.integers("axes", index_run(0, std::ssize(x)));
  for (std::int64_t& axis : axes) {
    if (axis < -std::ssize(x) || axis >= std::ssize(x)) return Error{f.where, "axis " + std::to_string(axis), "an axis of x", ""};
    if (axis < 0) axis += std::ssize(x);
  }
  Attrs a;
  LOCKSTEP_CHECK(set_extents(f, x, scales, sizes, axes, a));
  for (const char* const same : {"antialias", "cubic_coeff_a", "exclude_outside", "extrapolation_value"})
    if (f.attrs.has(same)) a.set(same, f.attrs.values.find(same)->second);
  const std::string mode = f.attrs.text("mode", "nearest");
  a.set("mode", mode == "bilinear" || mode == "trilinear" ? "linear" : mode);
  a.set("coordinates", old ? "asymmetric" : f.attrs.text("coordinate_transformation_mode", "half_pixel"));
  a.set("nearest_mode", old ? "simple" : f.attrs.text("nearest_mode", "round_prefer_floor"));
  if (!old && f.attrs.text("coordinate_transformation_mode", "") == "tf_crop_and_resize") {
    if (!roi || roi->count() != 2 * std::ssize(axes)) return Error{f.where, "no region of interest", "two numbers per axis", ""};
    std::vector<double> all(2 * x.size(), 0);
    for (std::size_t d = 0; d < x.size(); ++d) all[x.size() + d] = 1;
    for (std::size_t i = 0; i < axes.size(); ++i)
      for (const std::size_t end : {0, 1})
        all[end * x.size() + static_cast<std::size_t>(axes[i])] = roi->number(static_cast<std::int64_t>(end * axes.size() + i));
    a.set("roi", std::move(all));
  }
  return add_like(f, graph, "Resize", {f.inputs[0]}, std::move(a));
}

}  // namespace lockstep
