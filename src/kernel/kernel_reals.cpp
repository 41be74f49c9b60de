#include "kernel/kernel_reals.h"

#include <algorithm>
#include <optional>

#include "kernel/kernel_activation.h"
#include "num/ort_float.h"
#include "num/xnnpack_float.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

constexpr std::int64_t parts(std::int64_t v, std::int64_t of) {
  return (v + of - 1) / of;
}

struct RealProblem {
  Window window;  // channels_last
  std::int64_t group = 1, ic = 1, oc = 1;
  SumOrder order = SumOrder::loops;
  std::int64_t block = 0;  // of k
  std::int64_t depth_step =
      1;  // channels that stand together in the order of k, the window before them
  bool first = true, last = false;       // layout of the weights: OIHW, 1HWO
  bool starts = false, columns = false;  // at the bias; window by columns
};

// The arithmetic of onnxruntime: which rule of docs/numerics.md a convolution falls under, as
// num/ort_conv.cpp.
bool set_runtime_order(const KernelProblem& p, RealProblem& r) {
  const Window& w = r.window;
  if (p.view.attrs().text("layout", "NCHW") == "NHWC" || !r.first) return false;
  bool strides = true, dilations = true, pads = true;
  for (std::size_t d = 0; d < 3; ++d) {
    strides &= w.strides[d] == 1;
    dilations &= w.dilations[d] == 1;
    pads &= w.begin[d] == 0 && w.end[d] == 0;
  }
  const std::int64_t window = w.kernel_count(), depth = r.ic * window, filters = r.oc / r.group,
                     out = w.out_count();
  r.order = SumOrder::fused;
  if (p.view.attrs().text("kernel", "") == "blocked") {
    r.depth_step = r.group == 1 && r.ic < 16 ? 1 : window == 1 && pads ? 128 : 16;
    r.block = r.depth_step * window;
    return true;
  }
  if (w.spatial_rank == 2 && r.ic == 1 && filters == 2 && w.kernel[1] == 7) return false;  // N35
  r.depth_step = 1;
  const bool product = strides && pads && window == 1;
  if (!product && strides && pads && dilations && w.spatial_rank <= 2 && r.ic == 1 &&
      (w.kernel[2] == w.in[2] || (w.kernel[1] == w.in[1] && w.kernel[2] == 1)))
    return false;
  const bool whole = product || filters > out;
  if (whole && (out == 1 || filters == 1)) {
    r.order = SumOrder::fours;
    r.block = depth;
    return out != 1;
  }
  std::int64_t columns = 128;
  r.block = 128;
  if (out >= depth)
    while (!whole && r.block / 2 >= depth) r.block /= 2;
  else
    while (columns > 16 && columns / 2 >= out) columns /= 2, r.block *= 2;
  if (filters == 1) r.order = SumOrder::fours;
  return true;
}

std::optional<RealProblem> problem_of(const KernelProblem& p) {
  if (p.view.node.op != "Conv" || !p.constants[1] || p.view.input(0).dtype != DType::f32 ||
      p.view.input(1).dtype != DType::f32 || p.view.output(0).dtype != DType::f32)
    return {};
  if (p.view.has_input(2) && (!p.constants[2] || p.view.input(2).dtype != DType::f32)) return {};
  const Shape& w = p.view.input(1).shape;
  if (w.size() < 3 || w.size() != p.view.input(0).shape.size()) return {};
  RealProblem r;
  const std::string order = p.view.attrs().text("weights", "OIHW");
  r.first = order == "OIHW", r.last = order == "1HWO";
  const auto window = window_of(p.view, p.view.input(0).shape,
                                {w.begin() + (r.first ? 2 : 1), w.end() - (r.first ? 0 : 1)});
  if (!window.ok()) return {};
  r.window = *window;
  r.group = p.view.attrs().integer("group", 1);
  r.oc = r.last ? w.back() : w[0];
  r.ic = r.last ? w[0] : r.first ? w[1] : w.back();
  if (!p.num.real.convolution) {
    r.block = r.ic * r.window.kernel_count();
    r.depth_step = r.ic;
    r.starts = sums_from_bias(p.num) && r.window.spatial_rank <= 2;
    if (r.starts) r.order = SumOrder::fused;
    r.columns = r.starts && r.ic == 1 && r.oc == r.group && r.block <= xnnpack_most_column_taps;
  } else if (p.num.real.convolution != ort_convolution || !set_runtime_order(p, r)) {
    return {};
  }
  // Joined by fours: only where a vector holds channels.
  if (r.order == SumOrder::fours && (r.ic != 1 || r.group != r.oc)) return {};
  return r;
}

class RealKernel : public PreparedKernel {
 public:
  RealKernel(const KernelProblem& p, const RealSet& set)
      : set_(set),
        r_(*problem_of(p)),
        activation_(activation_of(p.view)),
        stage_(Stage::of_reals(r_.window)) {
    const Window& w = r_.window;
    og_ = r_.oc / r_.group;
    depthwise_ = r_.ic == 1 && og_ == 1;
    depth_ = r_.ic * w.kernel_count();
    flat_ = w.kernel_count() == 1 && w.strides == Window::Axes{1, 1, 1} && !stage_.padded;
    width_ = depthwise_ ? r_.oc : parts(og_, set_.lanes) * set_.lanes;
    order_k();
    pack(p);
    panels_ = width_ / set_.lanes;
    lines_ = flat_ ? 1 : w.batch * w.out[0] * w.out[1];
    line_ = flat_ ? w.batch * w.in_count() : w.out[2];
    chunks_ = parts(panels_, set_.max_vecs);
    piece_ = std::min<std::int64_t>(line_, 48);
    pieces_ = parts(line_, piece_);
  }

  std::size_t scratch_bytes(int) const override { return stage_.scratch_bytes(); }
  std::size_t resident_bytes() const override { return packed_.size() * 4; }

  void run(const KernelRun& r) const override {
    const std::byte* x = r.in[0];
    if (stage_.needed) {
      r.workers.each(stage_.parts(), [&](std::int64_t first, std::int64_t last, int) {
        stage_.run(r.in[0], r.scratch, first, last);
      });
      x = r.scratch;
    }
    const auto* const from = reinterpret_cast<const float*>(x);
    auto* const out = reinterpret_cast<float*>(r.out[0]);
    r.workers.each(depthwise_ ? lines_ : r_.group * chunks_ * lines_ * pieces_,
                   [&](std::int64_t first, std::int64_t last, int) {
                     for (std::int64_t u = first; u < last; ++u)
                       if (depthwise_)
                         line(u, from, out);
                       else
                         tiles(u, from, out);
                   });
  }

 private:
  // Offsets of the factors in x, and which weight they meet, in the order of summation.
  void order_k() {
    const Window& w = r_.window;
    const std::int64_t taps = w.kernel_count(), across = w.kernel[2], down = taps / across;
    for (std::int64_t c0 = 0; c0 < r_.ic; c0 += r_.depth_step)
      for (std::int64_t i = 0; i < taps; ++i) {
        const std::int64_t tap = r_.columns ? i % down * across + i / down : i;
        const std::int64_t a = tap / across / w.kernel[1], b = tap / across % w.kernel[1],
                           e = tap % across;
        for (std::int64_t c = c0; c < std::min(r_.ic, c0 + r_.depth_step); ++c) {
          offset_.push_back((a * w.dilations[0] * stage_.plane + b * w.dilations[1] * stage_.row +
                             e * w.dilations[2] * stage_.pixel) /
                                4 +
                            c);
          place_.push_back({tap, c});
        }
      }
  }

  void pack(const KernelProblem& p) {
    const auto w = p.constants[1]->as<float>();
    const std::int64_t taps = r_.window.kernel_count(), ic = r_.ic, oc = r_.oc;
    // Where output o's weights start, and how far from there factor k's stands.
    const auto start = [&](std::int64_t o) { return r_.last ? o : o * ic * taps; };
    std::vector<std::int64_t> from;
    for (const auto& [t, c] : place_)
      from.push_back(r_.last ? t * oc : r_.first ? c * taps + t : t * ic + c);
    packed_.assign(
        static_cast<std::size_t>((depthwise_ ? 1 : r_.group) * width_ * depth_ + set_.lanes), 0.0f);
    const std::int64_t groups = depthwise_ ? 1 : r_.group, outputs = depthwise_ ? oc : og_;
    const std::int64_t step = depthwise_ ? outputs : set_.lanes;
    for (std::int64_t g = 0; g < groups; ++g)
      for (std::int64_t o = 0; o < outputs; o += step) {
        float* to = packed_.data() + (g * width_ + o) * depth_;
        const std::int64_t some = std::min(step, outputs - o);
        for (std::int64_t k = 0; k < depth_; ++k, to += step)
          for (std::int64_t l = 0; l < some; ++l)
            to[l] = w[static_cast<std::size_t>(start(g * outputs + o + l) +
                                               from[static_cast<std::size_t>(k)])];
      }
    if (!p.view.has_input(2)) return;
    const auto b = p.constants[2]->as<float>();
    bias_.assign(static_cast<std::size_t>((depthwise_ ? 1 : r_.group) * width_ + set_.lanes), 0.0f);
    for (std::int64_t o = 0; o < oc; ++o)
      bias_[static_cast<std::size_t>(depthwise_ ? o : o / og_ * width_ + o % og_)] =
          b[static_cast<std::size_t>(o)];
  }

  std::int64_t start_of(std::int64_t line) const {
    const Window& w = r_.window;
    const std::int64_t oh = line % w.out[1], od = line / w.out[1] % w.out[0],
                       n = line / w.out[1] / w.out[0];
    return flat_ ? 0
                 : (n * stage_.extent[0] * stage_.plane + od * w.strides[0] * stage_.plane +
                    oh * w.strides[1] * stage_.row) /
                       4;
  }

  void line(std::int64_t u, const float* x, float* out) const {
    const std::int64_t step =
        flat_ ? r_.window.channels : r_.window.strides[2] * r_.window.channels;
    set_.line[static_cast<int>(r_.order)](
        {x + start_of(u), offset_.data(), depth_, r_.block, step, line_, r_.oc, packed_.data(),
         bias_.empty() || r_.starts ? nullptr : bias_.data(), out + u * line_ * r_.oc,
         bias_.empty() || !r_.starts ? nullptr : bias_.data()});
    finish(out + u * line_ * r_.oc, 1, line_ * r_.oc);
  }

  // The activation on rows of `count` elements that have come to their sums.
  void finish(float* y, std::int64_t rows, std::int64_t count) const {
    if (activation_ == Activation::none) return;
    for (std::int64_t i = 0; i < rows; ++i, y += r_.oc) activate_all(activation_, y, count);
  }

  void tiles(std::int64_t u, const float* x, float* out) const {
    const std::int64_t piece = u % pieces_, line = u / pieces_ % lines_,
                       chunk = u / pieces_ / lines_ % chunks_, g = u / pieces_ / lines_ / chunks_;
    const std::int64_t panel = chunk * set_.max_vecs;
    const auto vecs = static_cast<int>(std::min<std::int64_t>(set_.max_vecs, panels_ - panel));
    const std::int64_t first = piece * piece_, last = std::min(line_, first + piece_);
    const std::int64_t step =
        flat_ ? r_.window.channels : r_.window.strides[2] * r_.window.channels;
    RealTile t{nullptr,
               offset_.data(),
               depth_,
               r_.block,
               step,
               packed_.data() + (g * width_ + panel * set_.lanes) * depth_,
               depth_ * set_.lanes,
               bias_.empty() ? nullptr : bias_.data() + g * width_ + panel * set_.lanes,
               std::min<std::int64_t>(og_ - panel * set_.lanes, vecs * set_.lanes),
               nullptr,
               r_.oc};
    if (r_.starts) std::swap(t.bias, t.start);
    for (std::int64_t at = first; at < last;) {
      const std::int64_t left = last - at, rows = parts(left, parts(left, set_.max_rows[vecs]));
      t.origin = x + start_of(line) + at * step + g * r_.ic;
      t.out = out + ((flat_ ? 0 : line * line_) + at) * r_.oc + g * og_ + panel * set_.lanes;
      set_.tile[r_.order == SumOrder::fused ? 0 : 1][rows][vecs](t);
      finish(t.out, rows, t.channels);
      at += rows;
    }
  }

  struct Place {
    std::int64_t tap, channel;
  };
  const RealSet& set_;
  RealProblem r_;
  Activation activation_;
  Stage stage_;
  bool depthwise_ = false, flat_ = false;
  std::int64_t og_ = 1, depth_ = 0, width_ = 0, panels_ = 0, lines_ = 0, line_ = 0, chunks_ = 0,
               piece_ = 0, pieces_ = 0;
  std::vector<std::int64_t> offset_;
  std::vector<Place> place_;
  std::vector<float> packed_, bias_;
};

}  // namespace

bool reals_fit(const KernelProblem& p) {
  const std::string_view op = p.view.node.op;
  if (op == "Conv") return problem_of(p).has_value();
  if (op == "ConvTranspose") return real_transposed_fits(p);
  return op == "Gemm" || op == "MatMul" ? real_products_fit(p) : real_recurrent_fits(p);
}

std::unique_ptr<PreparedKernel> prepare_reals(const KernelProblem& p, const RealSet& set) {
  const std::string_view op = p.view.node.op;
  if (op == "Conv") return std::make_unique<RealKernel>(p, set);
  if (op == "ConvTranspose") return prepare_real_transposed(p, set);
  return op == "Gemm" || op == "MatMul" ? prepare_real_products(p, set)
                                        : prepare_real_recurrent(p, set);
}

}  // namespace lockstep
