#pragma once

#include <span>
#include <vector>

#include "op/op_foreign.h"
#include "op/op_window.h"

namespace lockstep {

// What the forms of a convolution share: its weights, its operands brought to one order, its sums.

// How the weights of a convolution lie.
struct ConvLayout {
  std::int64_t out_channels = 0, in_per_group = 0, group = 1;
  std::vector<std::int64_t> kernel;
  int out_axis = 0, in_axis = 1;  // of w
};

Result<ConvLayout> conv_layout(const NodeView& n);

// w reordered to [o][tap][c].
template <class T>
std::vector<T> packed_weights(std::span<const T> w, const ConvLayout& l, const Window& g) {
  const std::int64_t taps = g.kernel_count(), ic = l.in_per_group, oc = l.out_channels;
  std::vector<T> out(w.size());
  for (std::int64_t o = 0; o < oc; ++o)
    for (std::int64_t t = 0; t < taps; ++t)
      for (std::int64_t c = 0; c < ic; ++c) {
        const std::int64_t from = l.out_axis != 0  ? t * oc + o
                                  : l.in_axis == 1 ? (o * ic + c) * taps + t
                                                   : (o * taps + t) * ic + c;
        out[static_cast<std::size_t>((o * taps + t) * ic + c)] = w[static_cast<std::size_t>(from)];
      }
  return out;
}

// x reordered to [n][position][c].
template <class T>
std::vector<T> packed_input(std::span<const T> x, const Window& g) {
  std::vector<T> out(x.begin(), x.end());
  if (g.channels_last) return out;
  const std::int64_t positions = g.in_count();
  for (std::int64_t n = 0; n < g.batch; ++n)
    for (std::int64_t c = 0; c < g.channels; ++c)
      for (std::int64_t p = 0; p < positions; ++p)
        out[static_cast<std::size_t>((n * positions + p) * g.channels + c)] =
            x[static_cast<std::size_t>((n * g.channels + c) * positions + p)];
  return out;
}

// Every sum of products, taps and channels in ascending order (N76); take(n, o, position, sum).
template <class Sum, class T, class Take>
void convolve(const Window& g, const ConvLayout& l, const std::vector<T>& x,
              const std::vector<T>& w, Take&& take) {
  const std::int64_t taps = g.kernel_count(), ic = l.in_per_group,
                     per_group = l.out_channels / l.group;
  for (std::int64_t n = 0; n < g.batch; ++n)
    each_position(g, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
      for (std::int64_t o = 0; o < l.out_channels; ++o) {
        Sum sum = 0;
        const T* const row = w.data() + o * taps * ic;
        const std::int64_t first = o / per_group * ic;
        each_tap(g, d, h, v, [&](std::int64_t at, std::int64_t tap) {
          const T* const a = x.data() + (n * g.in_count() + at) * g.channels + first;
          const T* const b = row + tap * ic;
          for (std::int64_t c = 0; c < ic; ++c)
            sum += static_cast<Sum>(a[c]) * static_cast<Sum>(b[c]);
        });
        take(n, o, position, sum);
      }
    });
}

// Float activations under weights in codes (N69, N88): one scale for each sample of the batch;
// symmetric unless the weights' scales differ by channel or the convolution is depthwise.
Result<void> conv_hybrid(EvalContext& c, const Window& g, const ConvLayout& l);

// Convolutions of files; pads are written out, so that whoever edits the node sees them.
Result<void> conv_from_tflite(const ForeignNode& f, GraphBuilder& graph);
Result<void> conv3d_from_tflite(const ForeignNode& f, GraphBuilder& graph);
Result<void> conv_from_onnx(const ForeignNode& f, GraphBuilder& graph);

}  // namespace lockstep
