#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace lockstep {

// The geometry of convolutions and poolings, brought to three spatial axes (leading ones are 1).
//
//   begin   window, dilation 2   end         out[o] sees in[o*stride - begin + k*dilation]
//   [0 0] [x . x . x]  x  x  x  [0]
struct Window {
  using Axes = std::array<std::int64_t, 3>;
  std::int64_t batch = 1, channels = 1;  // of the input
  Axes in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1};
  Axes strides{1, 1, 1}, dilations{1, 1, 1}, begin{0, 0, 0}, end{0, 0, 0};
  bool channels_last = false;
  std::size_t spatial_rank = 2;

  std::int64_t in_count() const { return in[0] * in[1] * in[2]; }
  std::int64_t out_count() const { return out[0] * out[1] * out[2]; }
  std::int64_t kernel_count() const { return kernel[0] * kernel[1] * kernel[2]; }
  // Shape of a tensor of `c` channels with the output's extents, in the layout of the input.
  Shape output_shape(std::int64_t c) const;
  // Element of (n, c, flat spatial position) in a tensor of that layout.
  std::int64_t index(std::int64_t n, std::int64_t c, std::int64_t position, std::int64_t positions,
                     std::int64_t channel_count) const {
    return channels_last ? (n * positions + position) * channel_count + c
                         : (n * channel_count + c) * positions + position;
  }
};

// The window of a node over its input x: attributes layout ("NCHW" or "NHWC" of any rank), strides,
// dilations, pads ([begin..., end...]) or auto_pad (SAME_UPPER, SAME_LOWER, VALID), ceil_mode.
// Errors: wrong lengths, a stride or dilation below 1, a negative pad, a window beyond the padded
// input. With `beyond` (ONNX's poolings) one that goes beyond it by less than a stride is the only
// one, by less than two strides makes an empty output.
Result<Window> window_of(const NodeView& node, const Shape& x,
                         const std::vector<std::int64_t>& kernel, bool beyond = false);

// Puts the pads that auto_pad means into the attribute `pads` of a node under construction, so that
// whoever edits the node sees them.
Result<void> write_out_pads(GraphBuilder& graph, NodeId node,
                            const std::vector<std::int64_t>& kernel);

// Calls visit(position, tap) for every kernel tap that falls inside the input, taps ascending.
template <class Visit>
void each_tap(const Window& w, std::int64_t od, std::int64_t oh, std::int64_t ow, Visit&& visit) {
  for (std::int64_t kd = 0; kd < w.kernel[0]; ++kd) {
    const std::int64_t d = od * w.strides[0] - w.begin[0] + kd * w.dilations[0];
    if (d < 0 || d >= w.in[0]) continue;
    for (std::int64_t kh = 0; kh < w.kernel[1]; ++kh) {
      const std::int64_t h = oh * w.strides[1] - w.begin[1] + kh * w.dilations[1];
      if (h < 0 || h >= w.in[1]) continue;
      for (std::int64_t kw = 0; kw < w.kernel[2]; ++kw) {
        const std::int64_t v = ow * w.strides[2] - w.begin[2] + kw * w.dilations[2];
        if (v < 0 || v >= w.in[2]) continue;
        visit((d * w.in[1] + h) * w.in[2] + v, (kd * w.kernel[1] + kh) * w.kernel[2] + kw);
      }
    }
  }
}

// Calls visit(od, oh, ow, flat position) for every output position, ascending.
template <class Visit>
void each_position(const Window& w, Visit&& visit) {
  std::int64_t position = 0;
  for (std::int64_t d = 0; d < w.out[0]; ++d)
    for (std::int64_t h = 0; h < w.out[1]; ++h)
      for (std::int64_t v = 0; v < w.out[2]; ++v) visit(d, h, v, position++);
}

}  // namespace lockstep
