#include <algorithm>
#include <optional>

#include "kernel/kernel_activation.h"
#include "kernel/kernel_reals.h"
#include "num/ort_float.h"
#include "num/xnnpack_float.h"
#include "op/op_codes.h"
#include "op/op_conv_transpose.h"

namespace lockstep {
namespace {

constexpr std::int64_t positions_of_piece = 48;
constexpr std::int64_t ort_block = 128;  // N30: the first operand is read transposed

// As the operator's eval: products of each position of x with the weights of every tap, then, for
// each element of y, their sum over the taps in order.
struct Spread {
  TransposedWindow window;
  SumOrder order = SumOrder::loops;
  std::int64_t block = 0;
  bool from_bias = false;  // N107: kernel_reals_from_bias.cpp
};

std::optional<Spread> spread_of(const KernelProblem& p) {
  if (!p.constants[1] || (p.view.has_input(2) && !p.constants[2])) return {};
  for (std::size_t i = 0; i < p.view.input_count(); ++i)
    if (p.view.has_input(i) && p.view.input(i).dtype != DType::f32) return {};
  if (p.view.output(0).dtype != DType::f32) return {};
  const auto window = transposed_window_of(p.view);
  if (!window.ok()) return {};
  Spread s{*window, SumOrder::loops, window->channels};
  s.from_bias = sums_from_bias(p.num) && p.view.attrs().text("kernel", "") != "left";
  if (!p.num.real.matrix || window->channels_last || window->filters_first) return s;
  if (p.num.real.matrix != ort_matrix || TransposedWindow::product(window->in) == 1) return {};
  s.order = SumOrder::fused;
  s.block = ort_block;
  return s;
}

class TransposedKernel : public PreparedKernel {
 public:
  TransposedKernel(const KernelProblem& p, const RealSet& set)
      : set_(set), s_(*spread_of(p)), activation_(activation_of(p.view)) {
    const TransposedWindow& w = s_.window;
    in_ = TransposedWindow::product(w.in), out_ = TransposedWindow::product(w.out);
    width_ = w.taps() * w.filters;
    panels_ = (width_ + set_.lanes - 1) / set_.lanes;
    chunks_ = (panels_ + set_.max_vecs - 1) / set_.max_vecs;
    pieces_ = (in_ + positions_of_piece - 1) / positions_of_piece;
    size_ = panels_ * set_.lanes * w.channels;
    for (std::int64_t c = 0; c < w.channels; ++c) offset_.push_back(c);
    const auto from = p.constants[1]->as<float>();
    packed_.assign(static_cast<std::size_t>(w.group * size_), 0.0f);
    for (std::int64_t g = 0; g < w.group; ++g)
      for (std::int64_t j = 0; j < width_; ++j)
        for (std::int64_t c = 0; c < w.channels; ++c)
          packed_[static_cast<std::size_t>(g * size_ + j / set_.lanes * set_.lanes * w.channels +
                                           c * set_.lanes + j % set_.lanes)] =
              from[static_cast<std::size_t>(w.w_at(g, c, j % w.filters, j / w.filters))];
    if (p.view.has_input(2))
      bias_.assign(p.constants[2]->as<float>().begin(), p.constants[2]->as<float>().end());
  }

  std::size_t scratch_bytes(int) const override {
    return static_cast<std::size_t>(s_.window.group * in_ * width_) * sizeof(float) + kernel_slack;
  }
  std::size_t resident_bytes() const override {
    return (packed_.size() + bias_.size() + 2 * offset_.size()) * sizeof(float);
  }

  void run(const KernelRun& r) const override {
    const TransposedWindow& w = s_.window;
    const std::int64_t filters = w.filters * w.group;
    auto* const columns = reinterpret_cast<float*>(r.scratch);
    for (std::int64_t n = 0; n < w.batch; ++n) {
      const auto* const x =
          reinterpret_cast<const float*>(r.in[0]) + n * in_ * w.channels * w.group;
      auto* const y = reinterpret_cast<float*>(r.out[0]) + n * out_ * filters;
      r.workers.each(w.group * chunks_ * pieces_, [&](std::int64_t first, std::int64_t last, int) {
        for (std::int64_t u = first; u < last; ++u)
          tiles(x, columns, u / pieces_ / chunks_, u / pieces_ % chunks_, u % pieces_);
      });
      r.workers.each(out_, [&](std::int64_t first, std::int64_t last, int) {
        for (std::int64_t at = first; at < last; ++at) gather(columns, at, y + at * filters);
      });
    }
  }

 private:
  void tiles(const float* x, float* columns, std::int64_t g, std::int64_t chunk,
             std::int64_t piece) const {
    const TransposedWindow& w = s_.window;
    const std::int64_t panel = chunk * set_.max_vecs, column = panel * set_.lanes,
                       step = w.channels * w.group, first = piece * positions_of_piece,
                       last = std::min(in_, first + positions_of_piece);
    const auto vecs = static_cast<int>(std::min<std::int64_t>(set_.max_vecs, panels_ - panel));
    RealTile t{nullptr,
               offset_.data(),
               w.channels,
               s_.block,
               step,
               packed_.data() + g * size_ + column * w.channels,
               w.channels * set_.lanes,
               nullptr,
               std::min<std::int64_t>(width_ - column, vecs * set_.lanes),
               nullptr,
               width_};
    for (std::int64_t at = first; at < last;) {
      const std::int64_t left = last - at,
                         turns = (left + set_.max_rows[vecs] - 1) / set_.max_rows[vecs],
                         rows = (left + turns - 1) / turns;
      t.origin = x + at * step + g * w.channels;
      t.out = columns + (g * in_ + at) * width_ + column;
      set_.tile[s_.order == SumOrder::fused ? 0 : 1][rows][vecs](t);
      at += rows;
    }
  }

  // The place on an axis of x from which tap k reaches `to`, or -1.
  std::int64_t source(std::size_t axis, std::int64_t to, std::int64_t k) const {
    const TransposedWindow& w = s_.window;
    const std::int64_t from = to + w.begin[axis] - k * w.dilations[axis];
    if (from < 0 || from % w.strides[axis] != 0) return -1;
    return from / w.strides[axis] < w.in[axis] ? from / w.strides[axis] : -1;
  }

  void gather(const float* columns, std::int64_t at, float* y) const {
    const TransposedWindow& w = s_.window;
    const std::int64_t place[3] = {at / (w.out[1] * w.out[2]), at / w.out[2] % w.out[1],
                                   at % w.out[2]};
    std::fill_n(y, w.filters * w.group, 0.0f);
    std::int64_t tap = 0;
    for (std::int64_t a = 0; a < w.kernel[0]; ++a)
      for (std::int64_t b = 0; b < w.kernel[1]; ++b)
        for (std::int64_t c = 0; c < w.kernel[2]; ++c, ++tap) {
          const std::int64_t from[3] = {source(0, place[0], a), source(1, place[1], b),
                                        source(2, place[2], c)};
          if (from[0] < 0 || from[1] < 0 || from[2] < 0) continue;
          const std::int64_t i = (from[0] * w.in[1] + from[1]) * w.in[2] + from[2];
          for (std::int64_t g = 0; g < w.group; ++g) {
            const float* const sums = columns + (g * in_ + i) * width_ + tap * w.filters;
            float* const to = y + g * w.filters;
            for (std::int64_t o = 0; o < w.filters; ++o) to[o] += sums[o];
          }
        }
    for (std::size_t o = 0; o < bias_.size(); ++o) y[o] += bias_[o];
    activate_all(activation_, y, w.filters * w.group);
  }

  const RealSet& set_;
  Spread s_;
  Activation activation_;
  std::int64_t in_ = 1, out_ = 1, width_ = 1, panels_ = 0, chunks_ = 0, pieces_ = 0, size_ = 0;
  std::vector<std::int64_t> offset_;
  std::vector<float> packed_, bias_;
};

}  // namespace

bool real_transposed_fits(const KernelProblem& p) {
  return spread_of(p).has_value();
}

std::unique_ptr<PreparedKernel> prepare_real_transposed(const KernelProblem& p,
                                                        const RealSet& set) {
  if (spread_of(p)->from_bias) return prepare_transposed_from_bias(p, set);
  return std::make_unique<TransposedKernel>(p, set);
}

}  // namespace lockstep
