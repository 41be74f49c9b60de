#pragma once

#include <array>

#include "op/op_foreign.h"

namespace lockstep {

// The geometry of a transposed convolution, brought to three spatial axes, leading ones are 1.
struct TransposedWindow {
  using Axes = std::array<std::int64_t, 3>;
  std::int64_t batch = 1, group = 1, channels = 1, filters = 1;  // the latter two per group
  Axes in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1}, strides{1, 1, 1}, dilations{1, 1, 1};
  Axes begin{0, 0, 0};
  bool channels_last = false, filters_first = false;
  std::size_t rank = 0;

  static std::int64_t product(const Axes& a) { return a[0] * a[1] * a[2]; }
  std::int64_t taps() const { return product(kernel); }
  std::int64_t x_at(std::int64_t n, std::int64_t c, std::int64_t p) const {
    const std::int64_t all = channels * group, positions = product(in);
    return channels_last ? (n * positions + p) * all + c : (n * all + c) * positions + p;
  }
  std::int64_t y_at(std::int64_t n, std::int64_t o, std::int64_t p) const {
    const std::int64_t all = filters * group, positions = product(out);
    return channels_last ? (n * positions + p) * all + o : (n * all + o) * positions + p;
  }
  std::int64_t w_at(std::int64_t g, std::int64_t c, std::int64_t o, std::int64_t t) const {
    return filters_first ? (o * taps() + t) * channels + c
                         : ((g * channels + c) * filters + o) * taps() + t;
  }
};

// Of inputs 0 and 1, or an error that names what does not fit.
Result<TransposedWindow> transposed_window_of(const NodeView& n);

// Calls visit(position in x, tap, position in y), taps outermost, both ascending.
template <class Visit>
void each_meeting(const TransposedWindow& p, Visit&& visit) {
  const std::int64_t positions = TransposedWindow::product(p.in), taps = p.taps();
  const auto unfold = [](std::int64_t flat, const TransposedWindow::Axes& s) {
    return TransposedWindow::Axes{flat / (s[1] * s[2]), flat / s[2] % s[1], flat % s[2]};
  };
  for (std::int64_t t = 0; t < taps; ++t) {
    const TransposedWindow::Axes k = unfold(t, p.kernel);
    for (std::int64_t i = 0; i < positions; ++i) {
      const TransposedWindow::Axes at = unfold(i, p.in);
      std::int64_t y = 0;
      bool inside = true;
      for (std::size_t d = 0; d < 3; ++d) {
        const std::int64_t place = at[d] * p.strides[d] - p.begin[d] + k[d] * p.dilations[d];
        inside = inside && place >= 0 && place < p.out[d];
        y = y * p.out[d] + place;
      }
      if (inside) visit(i, t, y);
    }
  }
}

// Transposed convolutions of files.
Result<void> conv_transpose_from_onnx(const ForeignNode& f, GraphBuilder& graph);
Result<void> conv_transpose_from_tflite(const ForeignNode& f, GraphBuilder& graph);

}  // namespace lockstep
