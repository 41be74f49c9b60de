// y[i] = x at the place that the coordinate mode gives i: the nearest element, or a weighted sum.
#include <array>
#include <optional>

#include "base/text.h"
#include "num/resize_filter.h"
#include "op/op_resize.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"shape", "", "extents of y"},
    {"scales", "extents of y / of x",
     "resized / original by axis, where the coordinates use another than the extents give"},
    {"mode", "nearest", "nearest, linear or cubic"},
    {"coordinates", "half_pixel", "ONNX's coordinate_transformation_mode"},
    {"nearest_mode", "round_prefer_floor", "ONNX's nearest_mode, or simple as opset 10"},
    {"cubic_coeff_a", "-0.75", "coefficient of the cubic"},
    {"exclude_outside", "0", "1: elements outside x weigh nothing"},
    {"antialias", "0", "1: a shrinking axis widens the filter"},
    {"extrapolation_value", "0", "outside x, with tf_crop_and_resize"},
    {"kernel", "", "\"channels-last\": codes are mixed in fixed point (N44)"},
    {"roi", "all of x", "starts, then ends by axis, in parts of the extent"},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY([[maybe_unused]] const ResizePlan p, resize_plan(n));
  const Value& x = n.input(0);
  return std::vector<Facts>{
      {x.dtype, n.attrs().integers("shape"), x.quant.per_channel() ? QuantParams{} : x.quant}};
}

bool beside(const ResizedAxis& a, float place) {
  return place < 0 || place > a.original - 1;
}
bool untouched(const ResizedAxis& a, bool extrapolates) {
  return a.scale == 1 && !extrapolates && a.resized == a.original;
}

// The axes that a linear Resize mixes, whether they change or not: the two innermost of four (or
// the two in the middle where the channels change), the three innermost of five, every axis of
// fewer (N102).
bool mixes(const ResizePlan& p, std::size_t d) {
  const std::size_t rank = p.axes.size();
  if (std::ranges::all_of(p.axes, [](const ResizedAxis& a) { return a.resized == a.original; }))
    return false;
  if (rank == 4 && p.axes[1].scale != 1) return d == 1 || d == 2;
  return rank < 4 || d >= 2;
}

Result<void> take_nearest(EvalContext& c, const ResizePlan& p) {
  Sources sources;
  for (const ResizedAxis& a : p.axes) {
    auto& axis = sources.emplace_back();
    for (float i = 0; i < a.resized; ++i) {
      const float place = original_place(p.coordinates, i, a);
      const auto extent = static_cast<std::int64_t>(a.original);
      if (untouched(a, false))
        axis.push_back(static_cast<std::int64_t>(i));
      else if (p.extrapolates() && beside(a, place))
        axis.push_back(no_source);
      else
        axis.push_back(std::clamp<std::int64_t>(nearest_element(p.nearest, place, a.scale < 1), 0,
                                                extent - 1));
    }
  }
  if (p.extrapolates()) {
    Tensor value(c.out[0].dtype(), {});
    value.set_number(0, c.view.attrs().real("extrapolation_value", 0));
    fill(c.out[0], value.bytes().data());
  }
  copy_from_sources(*c.in[0], sources, c.out[0]);
  return {};
}

// The elements of x that each place of an axis is made of; none where it lies beside x.
using AxisTaps = std::vector<std::vector<Tap>>;

std::vector<AxisTaps> taps_of(const NodeView& n, const ResizePlan& p) {
  const auto a = static_cast<float>(n.attrs().real("cubic_coeff_a", -0.75));
  const bool antialias = n.attrs().integer("antialias", 0) != 0,
             exclude = n.attrs().integer("exclude_outside", 0) != 0;
  std::vector<AxisTaps> taps;
  for (const ResizedAxis& axis : p.axes) {
    AxisTaps& list = taps.emplace_back();
    for (float i = 0; i < axis.resized; ++i) {
      const float place = original_place(p.coordinates, i, axis);
      auto& at = list.emplace_back();
      const bool still = untouched(axis, p.extrapolates());
      if (still && (p.mode == "cubic" || antialias || !mixes(p, taps.size() - 1)))
        at = {{static_cast<std::int64_t>(i), 1.f}};
      else if (p.extrapolates() && beside(axis, place))
        continue;
      else if (p.mode == "cubic" || antialias)
        at = filter_taps(place, axis, p.mode == "cubic", a, antialias, exclude);
      else {
        const auto [first, second] =
            linear_neighbours(still ? i : place, static_cast<std::int64_t>(axis.original));
        at = {first, second};
      }
    }
  }
  return taps;
}

// What each place of an axis is divided by behind its sum: with exclude_outside the rows of a cubic
// are weighed as they are, then divided, its columns divided before. Empty where nothing is
// divided.
std::vector<std::vector<float>> weigh_rows(const NodeView& n, const ResizePlan& p,
                                           std::vector<AxisTaps>& taps) {
  if (p.mode != "cubic" || n.attrs().integer("exclude_outside", 0) == 0 ||
      n.attrs().integer("antialias", 0) != 0)
    return {};
  const auto a = static_cast<float>(n.attrs().real("cubic_coeff_a", -0.75));
  std::vector<std::vector<float>> totals;
  for (std::size_t d = 0; d < taps.size(); ++d) {
    auto& list = totals.emplace_back(taps[d].size(), 1.0f);
    for (std::size_t i = 0; d + 1 < taps.size() && i < taps[d].size(); ++i)
      if (taps[d][i].size() > 1)
        taps[d][i] = filter_taps(original_place(p.coordinates, static_cast<float>(i), p.axes[d]),
                                 p.axes[d], true, a, false, true, &list[i]);
  }
  return totals;
}

// The weighted sum of x over the taps of one output element: linear as a sum over the corners with
// multiplied weights (innermost axis changing fastest), filters as sums of sums.
template <class T>
class Blend {
 public:
  Blend(std::span<const T> x, const Shape& shape, bool corners)
      : x_(x), strides_(strides_of(shape)), corners_(corners) {}

  // `totals`: what the sum along each axis is divided by, none where by nothing.
  float operator()(const std::vector<const std::vector<Tap>*>& taps,
                   std::span<const float> totals) const {
    return corners_ ? corner_sum(taps) : nested_sum(taps, totals, 0, 0);
  }

 private:
  float corner_sum(const std::vector<const std::vector<Tap>*>& taps) const {
    float sum = 0;
    std::size_t corners = 1;
    for (const auto* axis : taps) corners *= axis->size();
    for (std::size_t corner = 0; corner < corners; ++corner) {
      float weight = 1;
      std::int64_t at = 0;
      std::size_t rest = corner;
      for (std::size_t d = taps.size(); d-- > 0;) {
        const Tap& tap = (*taps[d])[rest % taps[d]->size()];
        rest /= taps[d]->size();
        weight *= tap.weight;
        at += tap.index * strides_[d];
      }
      const float term = weight * static_cast<float>(x_[static_cast<std::size_t>(at)]);
      sum = corner == 0 ? term : sum + term;
    }
    return sum;
  }
  float nested_sum(const std::vector<const std::vector<Tap>*>& taps, std::span<const float> totals,
                   std::size_t d, std::int64_t at) const {
    if (d == taps.size()) return static_cast<float>(x_[static_cast<std::size_t>(at)]);
    if (taps[d]->size() == 1)
      return nested_sum(taps, totals, d + 1, at + taps[d]->front().index * strides_[d]);
    float sum = 0;
    for (const Tap& tap : *taps[d]) {
      const float term = tap.weight * nested_sum(taps, totals, d + 1, at + tap.index * strides_[d]);
      sum += totals.empty() ? term : term / totals[d];
    }
    return sum;
  }

  std::span<const T> x_;
  Shape strides_;
  bool corners_;
};

// N44: the same over rows and columns with weights in fixed point.
template <class T>
T fine_blend(std::span<const T> x, const Shape& strides,
             const std::vector<const std::vector<Tap>*>& taps) {
  std::int64_t from = 0;
  for (std::size_t d = 0; d < 2; ++d) from += taps[d]->front().index * strides[d];
  const auto &rows = *taps[2], &columns = *taps[3];
  const auto at = [&](const Tap& row, const Tap& column) {
    return static_cast<std::int32_t>(
        x[static_cast<std::size_t>(from + row.index * strides[2] + column.index)]);
  };
  return static_cast<T>(
      fine_mix({at(rows.front(), columns.front()), at(rows.front(), columns.back()),
                at(rows.back(), columns.front()), at(rows.back(), columns.back())},
               fine_share(rows), fine_share(columns)));
}

// Codes are blended as codes and cut toward zero.
Result<void> blend(EvalContext& c, const ResizePlan& p) {
  auto taps = taps_of(c.view, p);
  const auto totals = weigh_rows(c.view, p, taps);
  const Shape &xs = c.in[0]->shape(), ys = c.out[0].shape();
  const bool corners = p.mode == "linear" && c.view.attrs().integer("antialias", 0) == 0;
  const double outside = c.view.attrs().real("extrapolation_value", 0);
  if (c.in[0]->dtype() == DType::f16)
    return Error{c.view.where(), "x of type float16", "another element type", ""};
  with_type(c.in[0]->dtype(), [&](auto type) {
    using T = decltype(type);
    const Blend<T> value(c.in[0]->as<T>(), xs, corners);
    const bool fine =
        corners && xs.size() == 4 && c.view.attrs().text("kernel", "") == "channels-last";
    const Shape strides = strides_of(xs);
    const auto y = c.out[0].as<T>();
    std::vector<const std::vector<Tap>*> at(xs.size());
    std::vector<float> total(totals.empty() ? 0 : xs.size());
    Shape index(xs.size(), 0);
    for (T& element : y) {
      bool inside = true;
      for (std::size_t d = 0; d < index.size(); ++d) {
        at[d] = &taps[d][static_cast<std::size_t>(index[d])];
        inside = inside && !at[d]->empty();
        if (!totals.empty()) total[d] = totals[d][static_cast<std::size_t>(index[d])];
      }
      element = !inside ? static_cast<T>(outside)
                : fine  ? fine_blend<T>(c.in[0]->as<T>(), strides, at)
                        : static_cast<T>(value(at, total));
      for (std::size_t d = index.size(); d-- > 0;) {
        if (++index[d] < ys[d]) break;
        index[d] = 0;
      }
    }
  });
  return {};
}

// N44: the runtime's filters, where it has them for this type and place.
bool filters(const EvalContext& c, const ResizePlan& p) {
  const DType type = c.in[0]->dtype();
  if (p.extrapolates() || (type != DType::f32 && type != DType::i8 && type != DType::u8))
    return false;
  return c.view.attrs().integer("antialias", 0) != 0 ||
         (p.mode == "cubic" && c.view.attrs().text("kernel", "") == "channels-last");
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const ResizePlan p, resize_plan(c.view));
  if (p.mode == "nearest") return take_nearest(c, p);
  if (!filters(c, p) || c.out[0].count() == 0) return blend(c, p);
  resize_by_filters(c, p.axes, p.coordinates, p.mode == "cubic");
  return {};
}

constexpr Foreign from[] = {{Format::onnx, "Resize", resize_from_onnx},
                            {Format::onnx, "Upsample", resize_from_onnx}};

}  // namespace

Result<std::vector<std::vector<std::vector<Tap>>>> resize_taps(const NodeView& node) {
  LOCKSTEP_TRY(const ResizePlan p, resize_plan(node));
  return taps_of(node, p);
}

extern constinit const OpDef op_resize = {
    .name = "Resize",
    .meaning = "y[i] = x at the place that the coordinate mode gives i",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
