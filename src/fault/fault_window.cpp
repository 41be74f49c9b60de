#include "fault/fault_window.h"

#include <cstring>

namespace lockstep {

Result<Window> window_at(const NodeView& n) {
  std::vector<std::int64_t> kernel;
  if (n.node.op == "Conv") {
    const Shape& w = n.input(1).shape;
    kernel.assign(w.begin() + (n.attrs().text("weights", "OIHW") == "OIHW" ? 2 : 1),
                  w.end() - (n.attrs().text("weights", "OIHW") == "OIHW" ? 0 : 1));
  } else {
    kernel = n.attrs().integers("kernel_shape");
  }
  return window_of(n, n.input(0).shape, kernel);
}

void set_window(ChangedNode& node, const Window& from, const Window::Axes& begin,
                const Window::Axes& dilations, std::int64_t pad_code, const Outside& outside) {
  Window::Axes extent{};  // of the input that the windows cover exactly
  for (std::size_t a = 0; a < 3; ++a)
    extent[a] = (from.out[a] - 1) * from.strides[a] + (from.kernel[a] - 1) * dilations[a] + 1;
  const Tensor& old = node.contents(0);
  Shape shape = old.shape();
  const std::size_t first = from.channels_last ? 1 : 2, unused = 3 - from.spatial_rank;
  for (std::size_t a = 0; a < from.spatial_rank; ++a) shape[first + a] = extent[unused + a];
  Tensor x(old.dtype(), shape);
  const std::int64_t positions = extent[0] * extent[1] * extent[2];
  const std::size_t width = size_of(old.dtype());
  for (std::int64_t n = 0; n < from.batch; ++n)
    for (std::int64_t c = 0; c < from.channels; ++c)
      for (std::int64_t p = 0; p < positions; ++p) {
        const Window::Axes at = {p / (extent[1] * extent[2]), p / extent[2] % extent[1],
                                 p % extent[2]};
        const Window::Axes from_edge = {at[0] - begin[0], at[1] - begin[1], at[2] - begin[2]};
        std::int64_t source = 0;
        bool inside = true;
        for (std::size_t a = 0; a < 3; ++a) {
          inside = inside && from_edge[a] >= 0 && from_edge[a] < from.in[a];
          source = source * from.in[a] + from_edge[a];
        }
        if (!inside && outside) {
          source = outside(from_edge);
          inside = source >= 0;
        }
        const std::int64_t to = from.index(n, c, p, positions, from.channels);
        if (inside)
          std::memcpy(x.bytes().data() + static_cast<std::size_t>(to) * width,
                      old.bytes().data() + static_cast<std::size_t>(from.index(
                                               n, c, source, from.in_count(), from.channels)) *
                                               width,
                      width);
        else if (is_float(x.dtype()))
          x.set_number(to, static_cast<double>(pad_code));
        else
          x.set_code(to, pad_code);
      }
  node.set_contents(0, std::move(x));
  Attrs& attrs = node.attrs();
  attrs.values.erase("auto_pad");
  attrs.values.erase("ceil_mode");
  attrs.set("pads", std::vector<std::int64_t>(2 * from.spatial_rank, 0));
  attrs.set("dilations",
            std::vector<std::int64_t>(dilations.begin() + static_cast<std::ptrdiff_t>(unused),
                                      dilations.end()));
}

}  // namespace lockstep
