// Transposed convolutions of floats whose sums begin at the bias (N107): every output takes its
// taps in order, each channel fused into the sum. Along a row, outputs that meet one tap stand
// `stride` apart and read neighbours of x.
#include <algorithm>

#include "kernel/kernel_activation.h"
#include "kernel/kernel_reals.h"
#include "op/op_codes.h"
#include "op/op_conv_transpose.h"

namespace lockstep {
namespace {

constexpr std::int64_t parts(std::int64_t v, std::int64_t of) {
  return (v + of - 1) / of;
}

class TransposedFromBias : public PreparedKernel {
 public:
  TransposedFromBias(const KernelProblem& p, const RealSet& set)
      : set_(set), window_(*transposed_window_of(p.view)), activation_(activation_of(p.view)) {
    const TransposedWindow& w = window_;
    panels_ = parts(w.filters, set_.lanes);
    size_ = panels_ * set_.lanes * w.channels;
    for (std::int64_t c = 0; c < w.channels; ++c) offset_.push_back(c);
    const auto from = p.constants[1]->as<float>();
    packed_.assign(static_cast<std::size_t>(w.group * w.taps() * size_), 0.0f);
    for (std::int64_t g = 0; g < w.group; ++g)
      for (std::int64_t t = 0; t < w.taps(); ++t)
        for (std::int64_t o = 0; o < w.filters; ++o)
          for (std::int64_t c = 0; c < w.channels; ++c)
            packed_[static_cast<std::size_t>((g * w.taps() + t) * size_ +
                                             o / set_.lanes * set_.lanes * w.channels +
                                             c * set_.lanes + o % set_.lanes)] =
                from[static_cast<std::size_t>(w.w_at(g, c, o, t))];
    bias_.assign(static_cast<std::size_t>(w.filters * w.group), 0.0f);
    if (p.view.has_input(2)) std::ranges::copy(p.constants[2]->as<float>(), bias_.begin());
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  std::size_t resident_bytes() const override {
    return (packed_.size() + bias_.size() + 2 * offset_.size()) * sizeof(float);
  }

  void run(const KernelRun& r) const override {
    const TransposedWindow& w = window_;
    const auto* const x = reinterpret_cast<const float*>(r.in[0]);
    auto* const y = reinterpret_cast<float*>(r.out[0]);
    const std::int64_t lines = w.out[0] * w.out[1], all = w.filters * w.group;
    r.workers.each(w.batch * lines, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u) {
        float* const to = y + u * w.out[2] * all;
        for (std::int64_t i = 0; i < w.out[2]; ++i) std::ranges::copy(bias_, to + i * all);
        line(x + u / lines * TransposedWindow::product(w.in) * w.channels * w.group, u % lines, to);
        activate_all(activation_, to, w.out[2] * all);
      }
    });
  }

 private:
  // The place on an axis of x from which tap k reaches `to`, or -1.
  std::int64_t source(std::size_t axis, std::int64_t to, std::int64_t k) const {
    const TransposedWindow& w = window_;
    const std::int64_t from = to + w.begin[axis] - k * w.dilations[axis];
    if (from < 0 || from % w.strides[axis] != 0) return -1;
    return from / w.strides[axis] < w.in[axis] ? from / w.strides[axis] : -1;
  }

  void line(const float* x, std::int64_t at, float* to) const {
    const TransposedWindow& w = window_;
    std::int64_t tap = 0;
    for (std::int64_t a = 0; a < w.kernel[0]; ++a)
      for (std::int64_t b = 0; b < w.kernel[1]; ++b) {
        const std::int64_t d = source(0, at / w.out[1], a), h = source(1, at % w.out[1], b);
        for (std::int64_t c = 0; c < w.kernel[2]; ++c, ++tap)
          if (d >= 0 && h >= 0)
            run_of_tap(x + (d * w.in[1] + h) * w.in[2] * w.channels * w.group, c, tap, to);
      }
  }

  // Tap `c` of the row of x onto every output of the row that it reaches.
  void run_of_tap(const float* x, std::int64_t c, std::int64_t tap, float* to) const {
    const TransposedWindow& w = window_;
    const std::int64_t stride = w.strides[2], shift = c * w.dilations[2] - w.begin[2];
    const std::int64_t first = shift < 0 ? parts(-shift, stride) : 0;
    const std::int64_t last =
        w.out[2] <= shift ? 0 : std::min(w.in[2], parts(w.out[2] - shift, stride));
    const std::int64_t in_step = w.channels * w.group, out_step = stride * w.filters * w.group;
    for (std::int64_t g = 0; g < w.group; ++g)
      for (std::int64_t panel = 0; panel < panels_; panel += set_.max_vecs) {
        const auto vecs = static_cast<int>(std::min<std::int64_t>(set_.max_vecs, panels_ - panel));
        RealTile t;
        t.offset = offset_.data();
        t.k = t.block = w.channels;
        t.step = in_step;
        t.w = packed_.data() + (g * w.taps() + tap) * size_ + panel * set_.lanes * w.channels;
        t.panel = w.channels * set_.lanes;
        t.channels = std::min<std::int64_t>(w.filters - panel * set_.lanes, vecs * set_.lanes);
        t.out_step = t.start_step = out_step;
        for (std::int64_t i = first; i < last;) {
          const std::int64_t rows = std::min<std::int64_t>(last - i, set_.max_rows[vecs]);
          t.origin = x + i * in_step + g * w.channels;
          t.out =
              to + (i * stride + shift) * w.filters * w.group + g * w.filters + panel * set_.lanes;
          t.start = t.out;
          set_.tile[0][rows][vecs](t);
          i += rows;
        }
      }
  }

  const RealSet& set_;
  TransposedWindow window_;
  Activation activation_;
  std::int64_t panels_ = 0, size_ = 0;
  std::vector<std::int64_t> offset_;
  std::vector<float> packed_, bias_;
};

}  // namespace

std::unique_ptr<PreparedKernel> prepare_transposed_from_bias(const KernelProblem& p,
                                                             const RealSet& set) {
  return std::make_unique<TransposedFromBias>(p, set);
}

}  // namespace lockstep
