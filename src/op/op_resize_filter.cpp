// Resize by the runtime's filters, axis by axis (N44).
#include <algorithm>

#include "num/resize_filter.h"
#include "op/op_resize.h"

namespace lockstep {
namespace {

// One axis after the other, the innermost first; 8-bit codes are rounded after each.
template <class T>
std::vector<T> filtered(const std::vector<T>& x, const Shape& shape, std::size_t axis,
                        const std::vector<FilteredPlace>& places) {
  const std::int64_t inner =
      count_of(Shape(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end()));
  const std::int64_t extent = shape[axis], outer = std::ssize(x) / (inner * extent);
  std::vector<T> y;
  y.reserve(static_cast<std::size_t>(outer * inner) * places.size());
  for (std::int64_t o = 0; o < outer; ++o)
    for (const FilteredPlace& p : places)
      for (std::int64_t i = 0; i < inner; ++i) {
        const auto at = [&](std::size_t k) {
          return x[static_cast<std::size_t>(
              (o * extent + p.first + static_cast<std::int64_t>(k)) * inner + i)];
        };
        if constexpr (std::is_same_v<T, float>) {
          float sum = 0;
          for (std::size_t k = 0; k < p.weight.size(); ++k) sum += at(k) * p.weight[k];
          y.push_back(sum);
        } else {
          std::int64_t sum = 0;
          for (std::size_t k = 0; k < p.share.size(); ++k) sum += std::int64_t{at(k)} * p.share[k];
          y.push_back(static_cast<T>(filtered_code(sum)));
        }
      }
  return y;
}

template <class T>
void filter_axes(EvalContext& c, std::span<const ResizedAxis> axes, Coordinates coordinates,
                 bool cubic) {
  const bool exclude = c.view.attrs().integer("exclude_outside", 0) != 0;
  const auto a = static_cast<float>(c.view.attrs().real("cubic_coeff_a", -0.75));
  Shape shape = c.in[0]->shape();
  const Shape& ys = c.out[0].shape();
  const auto in = c.in[0]->as<T>();
  std::vector<T> x(in.begin(), in.end());
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (shape[d] == ys[d]) continue;
    x = filtered(x, shape, d, filtered_places(axes[d], coordinates, cubic, a, exclude));
    shape[d] = ys[d];
  }
  std::ranges::copy(x, c.out[0].as<T>().begin());
}

}  // namespace

void resize_by_filters(EvalContext& c, std::span<const ResizedAxis> axes, Coordinates coordinates,
                       bool cubic) {
  if (c.in[0]->dtype() == DType::f32)
    filter_axes<float>(c, axes, coordinates, cubic);
  else if (c.in[0]->dtype() == DType::i8)
    filter_axes<std::int8_t>(c, axes, coordinates, cubic);
  else
    filter_axes<std::uint8_t>(c, axes, coordinates, cubic);
}

}  // namespace lockstep
