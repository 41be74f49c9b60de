#include <algorithm>
#include <array>
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
    list_reaches();
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
  struct Reach {
    std::int64_t tap, from;
  };

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

  // By place on an axis of y: the taps that reach it, in order, and from which place of x.
  void list_reaches() {
    const TransposedWindow& w = s_.window;
    for (std::size_t axis = 0; axis < 3; ++axis)
      for (std::int64_t to = 0; to < w.out[axis]; ++to) {
        std::vector<Reach>& list = reaches_[axis].emplace_back();
        for (std::int64_t k = 0; k < w.kernel[axis]; ++k) {
          const std::int64_t from = to + w.begin[axis] - k * w.dilations[axis];
          if (from >= 0 && from % w.strides[axis] == 0 && from / w.strides[axis] < w.in[axis])
            list.push_back({k, from / w.strides[axis]});
        }
      }
  }

  const std::vector<Reach>& reaching(std::size_t axis, std::int64_t to) const {
    return reaches_[axis][static_cast<std::size_t>(to)];
  }

  void gather(const float* columns, std::int64_t at, float* y) const {
    const TransposedWindow& w = s_.window;
    std::fill_n(y, w.filters * w.group, 0.0f);
    for (const Reach& a : reaching(0, at / (w.out[1] * w.out[2])))
      for (const Reach& b : reaching(1, at / w.out[2] % w.out[1]))
        for (const Reach& c : reaching(2, at % w.out[2])) {
          const std::int64_t i = (a.from * w.in[1] + b.from) * w.in[2] + c.from,
                             tap = (a.tap * w.kernel[1] + b.tap) * w.kernel[2] + c.tap;
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
  std::array<std::vector<std::vector<Reach>>, 3> reaches_;
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
