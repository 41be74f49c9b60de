// What ONNX's Resize and Upsample say, opset by opset.
#include "op/op_resize.h"

#include <array>
#include <cmath>
#include <optional>

#include "base/text.h"

namespace lockstep {
namespace {

// Scales, or sizes under an aspect policy, of some axes or all.
Result<void> set_extents(const ForeignNode& f, const Shape& x, const Tensor* scales,
                         const Tensor* sizes, const std::vector<std::int64_t>& axes, Attrs& a) {
  std::vector<double> factors(x.size(), 1);
  Shape shape = x;
  const std::string policy = f.attrs.text("keep_aspect_ratio_policy", "stretch");
  const Tensor& given = sizes ? *sizes : *scales;
  if (given.count() != std::ssize(axes))
    return Error{f.where, std::to_string(given.count()) + " scales or sizes",
                 std::to_string(axes.size()) + ", one per axis", ""};
  std::optional<float> common;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto d = static_cast<std::size_t>(axes[i]);
    const auto extent = static_cast<float>(x[d]);
    const double number = given.number(static_cast<std::int64_t>(i));
    if (!(number > 0 && number < 1e9))
      return Error{f.where, "scale or size " + std::to_string(number), "a positive one", ""};
    const float scale = sizes ? static_cast<float>(number) / extent : static_cast<float>(number);
    factors[d] = scale;
    shape[d] =
        sizes ? static_cast<std::int64_t>(number) : static_cast<std::int64_t>(scale * extent);
    common = !common                  ? scale
             : policy == "not_larger" ? std::min(*common, scale)
                                      : std::max(*common, scale);
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

Result<const Tensor*> filled(const ForeignNode& f, const GraphBuilder& graph, std::size_t i,
                             std::string_view name) {
  LOCKSTEP_TRY(const Tensor* const t, constant_input(f, graph, i, name));
  return t && t->count() > 0 ? t : nullptr;
}

constexpr std::array<std::string_view, 7> coordinate_names = {
    "half_pixel",    "asymmetric",         "pytorch_half_pixel",  "tf_half_pixel_for_nn",
    "align_corners", "tf_crop_and_resize", "half_pixel_symmetric"};
constexpr std::array<std::string_view, 5> nearest_names = {
    "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple"};

template <class Enum, std::size_t N>
std::optional<Enum> named(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace

Result<ResizePlan> resize_plan(const NodeView& n) {
  const Shape &x = n.input(0).shape, y = n.attrs().integers("shape");
  const auto scales = n.attrs().reals("scales"), roi = n.attrs().reals("roi");
  ResizePlan p;
  p.mode = n.attrs().text("mode", "nearest");
  const auto coordinates =
      named<Coordinates>(coordinate_names, n.attrs().text("coordinates", "half_pixel"));
  const auto nearest =
      named<Nearest>(nearest_names, n.attrs().text("nearest_mode", "round_prefer_floor"));
  if (!coordinates || !nearest || (p.mode != "nearest" && p.mode != "linear" && p.mode != "cubic"))
    return Error{n.where(),
                 "mode " + p.mode + ", coordinates " + n.attrs().text("coordinates", "half_pixel"),
                 "modes of ONNX's Resize", ""};
  p.coordinates = *coordinates, p.nearest = *nearest;
  if (y.size() != x.size() || (!scales.empty() && scales.size() != x.size()) ||
      (!roi.empty() && roi.size() != 2 * x.size()))
    return Error{n.where(), "shape " + shape_text(y) + " for x " + shape_text(x),
                 "one extent, scale and roi per axis", ""};
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (x[d] < 1 || y[d] < 0)
      return Error{n.where(), "x " + shape_text(x) + ", y " + shape_text(y),
                   "extents of at least 1", ""};
    ResizedAxis a{scales.empty() ? static_cast<float>(y[d]) / static_cast<float>(x[d])
                                 : static_cast<float>(scales[d]),
                  static_cast<float>(y[d]), static_cast<float>(x[d])};
    if (!roi.empty())
      a.roi_start = static_cast<float>(roi[d]), a.roi_end = static_cast<float>(roi[x.size() + d]);
    if (!(a.scale > 1e-6f && a.scale < 1e6f))
      return Error{n.where(), "scale " + std::to_string(a.scale), "a scale between 1e-6 and 1e6",
                   ""};
    p.axes.push_back(a);
  }
  return p;
}

Result<void> resize_from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(
      f, {"antialias", "axes", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside",
          "extrapolation_value", "keep_aspect_ratio_policy", "mode", "nearest_mode", "scales"}));
  if (!has_input(f, 0)) return Error{f.where, "no input", "x", ""};
  const bool old = f.version < 11 || f.op == "Upsample";
  LOCKSTEP_TRY(const Tensor* scales, filled(f, graph, old ? 1 : 2, "scales"));
  LOCKSTEP_TRY(const Tensor* const sizes, filled(f, graph, 3, "sizes"));
  LOCKSTEP_TRY(const Tensor* const roi, filled(f, graph, 1, "roi"));
  const auto listed = f.attrs.reals("scales");
  const Tensor from_attr = Tensor::of<double>({std::ssize(listed)}, listed);
  if (!scales && !sizes && !listed.empty()) scales = &from_attr;
  if ((scales != nullptr) == (sizes != nullptr))
    return Error{f.where, scales ? "scales and sizes" : "neither scales nor sizes", "one of both",
                 ""};
  const Shape x = input_of(f, graph, 0).shape;
  auto axes = f.attrs.integers("axes", index_run(0, std::ssize(x)));
  for (std::int64_t& axis : axes) {
    if (axis < -std::ssize(x) || axis >= std::ssize(x))
      return Error{f.where, "axis " + std::to_string(axis), "an axis of x", ""};
    if (axis < 0) axis += std::ssize(x);
  }
  Attrs a;
  LOCKSTEP_CHECK(set_extents(f, x, scales, sizes, axes, a));
  for (const char* const same :
       {"antialias", "cubic_coeff_a", "exclude_outside", "extrapolation_value"})
    if (f.attrs.has(same)) a.set(same, f.attrs.values.find(same)->second);
  const std::string mode = f.attrs.text("mode", "nearest");
  a.set("mode", mode == "bilinear" || mode == "trilinear" ? "linear" : mode);
  a.set("coordinates",
        old ? "asymmetric" : f.attrs.text("coordinate_transformation_mode", "half_pixel"));
  a.set("nearest_mode", old ? "simple" : f.attrs.text("nearest_mode", "round_prefer_floor"));
  if (!old && f.attrs.text("coordinate_transformation_mode", "") == "tf_crop_and_resize") {
    if (!roi || roi->count() != 2 * std::ssize(axes))
      return Error{f.where, "no region of interest", "two numbers per axis", ""};
    std::vector<double> all(2 * x.size(), 0);
    for (std::size_t d = 0; d < x.size(); ++d) all[x.size() + d] = 1;
    for (std::size_t i = 0; i < axes.size(); ++i)
      for (const std::size_t end : {0, 1})
        all[end * x.size() + static_cast<std::size_t>(axes[i])] =
            roi->number(static_cast<std::int64_t>(end * axes.size() + i));
    a.set("roi", std::move(all));
  }
  return add_like(f, graph, "Resize", {f.inputs[0]}, std::move(a));
}

}  // namespace lockstep
