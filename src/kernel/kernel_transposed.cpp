#include "kernel/kernel_transposed.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "kernel/kernel_dot_driver.h"
#include "op/op_conv_transpose.h"

namespace lockstep {
namespace {

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}

// What one convolution computes along one axis: a phase, or all of them side by side.
struct AxisPass {
  std::int64_t first = 0, last = -1;  // q
  std::int64_t low = 0, high = 0;     // places that taps see
  std::int64_t step = 1;              // from place to place
  std::vector<TransposedPhase> phases;

  std::int64_t count() const { return last - first + 1; }
  std::int64_t taps() const { return (high - low) / step + 1; }
};

AxisPass pass_of(std::vector<TransposedPhase> phases, std::int64_t step) {
  AxisPass p;
  p.step = step;
  bool any_place = false, any = false;
  for (const TransposedPhase& phase : phases) {
    if (phase.last >= phase.first) {
      p.first = any ? std::min(p.first, phase.first) : phase.first;
      p.last = any ? std::max(p.last, phase.last) : phase.last;
      any = true;
    }
    if (phase.taps.empty()) continue;
    p.low = any_place ? std::min(p.low, phase.taps.front().place) : phase.taps.front().place;
    p.high = any_place ? std::max(p.high, phase.taps.back().place) : phase.taps.back().place;
    any_place = true;
  }
  p.phases = std::move(phases);
  return p;
}

// Passes of one axis. `lanes_of(channels)` is what so many channels cost a tap; 0: never together.
template <class LanesOf>
std::vector<AxisPass> passes_of(const TransposedAxis& a, std::int64_t filters, LanesOf&& lanes_of) {
  const std::int64_t step = a.dilation / std::gcd(a.dilation, a.stride);
  std::vector<TransposedPhase> phases;
  std::vector<AxisPass> alone;
  std::int64_t cost = 0;
  for (std::int64_t r = 0; r < a.stride; ++r) {
    phases.push_back(transposed_phase(a, r));
    if (phases.back().last < phases.back().first) continue;
    alone.push_back(pass_of({phases.back()}, step));
    cost += alone.back().taps() * lanes_of(filters);
  }
  if (a.dilation != 1 || lanes_of(1) == 0) return alone;
  AxisPass together = pass_of(std::move(phases), 1);
  if (together.taps() * lanes_of(filters * a.stride) > cost) return alone;
  return {together};
}

class TransposedKernelOfCodes : public PreparedKernel {
 public:
  TransposedKernelOfCodes(const KernelProblem& p, const DotSet& set)
      : set_(set), w_(*transposed_window_of(p.view)) {
    const DotProblem all = *transposed_problem(p, true, set.wide);
    y_size_ = static_cast<std::int64_t>(size_of(all.y));
    pixel_ = all.oc * y_size_;
    std::vector<AxisPass> axes[3];
    for (std::size_t a = 0; a < 3; ++a)
      axes[a] = passes_of(
          {w_.out[a], w_.kernel[a], w_.strides[a], w_.dilations[a], w_.begin[a]}, all.oc,
          [&](std::int64_t channels) {
            return a < 2 || w_.group > 1 ? 0 : (channels + set.lanes - 1) / set.lanes * set.lanes;
          });
    place_stage(axes, all);
    for (const AxisPass& d : axes[0])
      for (const AxisPass& h : axes[1])
        for (const AxisPass& v : axes[2]) add_pass({&d, &h, &v}, all);
    // One pass that leaves y as it is to lie.
    const AxisPass& v = axes[2][0];
    direct_ = passes_.size() == 1 && w_.strides[0] == 1 && w_.strides[1] == 1 &&
              v.first * w_.strides[2] == w_.begin[2] && v.count() * w_.strides[2] == w_.out[2];
  }

  std::size_t scratch_bytes(int) const override {
    return staged_bytes() + static_cast<std::size_t>(direct_ ? 0 : made_) + kernel_slack;
  }
  std::size_t resident_bytes() const override {
    std::size_t bytes = 0;
    for (const Pass& p : passes_) bytes += p.driver->layout().packed_bytes;
    return bytes;
  }

  void run(const KernelRun& r) const override {
    if (stage_.needed)
      r.workers.each(stage_.parts(), [&](std::int64_t first, std::int64_t last, int) {
        stage_.run(r.in[0], r.scratch, first, last);
      });
    const std::byte* const x = stage_.needed ? r.scratch : r.in[0];
    std::byte* const made = direct_ ? r.out[0] : r.scratch + staged_bytes();
    r.workers.each(units_, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u) {
        const Pass& p = pass_at(u, &Pass::units_before);
        const DotLayout& m = p.driver->layout();
        p.driver->unit(u - p.units_before,
                       {x + p.x_at, m.weights(), m.d.finish.bias.data(),
                        m.common.empty() ? nullptr : m.common.data(), made + p.made_at});
      }
    });
    if (direct_) return;
    r.workers.each(rows_, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u) {
        const Pass& p = pass_at(u, &Pass::rows_before);
        place_row(p, u - p.rows_before, made, r.out[0]);
      }
    });
  }

 private:
  struct Pass {
    std::unique_ptr<const DotDriver> driver;
    std::int64_t x_at = 0, made_at = 0;  // bytes
    std::int64_t units_before = 0, rows_before = 0;
    std::array<std::int64_t, 3> r{}, first{}, count{};  // q of each axis
    std::int64_t phases = 1;                            // of the last axis
  };

  std::size_t staged_bytes() const { return (stage_.scratch_bytes() + 63) / 64 * 64; }
  const Pass& pass_at(std::int64_t u, std::int64_t Pass::*before) const {
    std::size_t i = passes_.size() - 1;
    while (passes_[i].*before > u) --i;
    return passes_[i];
  }

  // x with room around it for every pass.
  void place_stage(const std::vector<AxisPass> (&axes)[3], const DotProblem& all) {
    Window w;
    w.channels_last = true;
    w.batch = w_.batch;
    w.channels = all.ic * all.group;
    w.in = w_.in;
    for (std::size_t a = 0; a < 3; ++a) {
      std::int64_t low = 0, high = w_.in[a] - 1;
      for (const AxisPass& p : axes[a]) {
        low = std::min(low, p.first - p.high);
        high = std::max(high, p.last - p.low);
      }
      w.begin[a] = -low;
      w.out[a] = high - low + 1;
    }
    stage_ =
        set_.wide ? Stage::of_words(w) : Stage::of(w, all.x, all.x_zero, set_.words, set_.stage);
  }

  void add_pass(const std::array<const AxisPass*, 3>& axes, const DotProblem& all) {
    Pass p;
    DotProblem d;
    Window& w = d.window;
    w = stage_.window;
    w.begin = {0, 0, 0};
    const std::int64_t strides[] = {stage_.plane, stage_.row, stage_.pixel};
    for (std::size_t a = 0; a < 3; ++a) {
      const AxisPass& axis = *axes[a];
      w.in[a] = stage_.extent[a];
      w.out[a] = p.count[a] = axis.count();
      w.kernel[a] = axis.taps();
      w.dilations[a] = axis.step;
      p.r[a] = axis.phases[0].r;
      p.first[a] = axis.first;
      p.x_at += (stage_.window.begin[a] + axis.first - axis.high) * strides[a];
    }
    p.phases = static_cast<std::int64_t>(axes[2]->phases.size());
    fill(axes, all, p.phases, d);
    p.driver = std::make_unique<const DotDriver>(std::move(d), set_);
    p.made_at = made_;
    p.units_before = units_;
    p.rows_before = rows_;
    units_ += p.driver->units();
    rows_ += w_.batch * p.count[0] * p.count[1];
    made_ += w_.batch * p.count[0] * p.count[1] * p.count[2] * p.phases * pixel_;
    passes_.push_back(std::move(p));
  }

  // Channels [phase][channel of y]: weights of the taps that each phase sees, the zero point at
  // other places of the window.
  static void fill(const std::array<const AxisPass*, 3>& axes, const DotProblem& all,
                   std::int64_t phases, DotProblem& d) {
    d.group = all.group;
    d.ic = all.ic;
    d.oc = all.oc * phases;
    d.x = all.x;
    d.x_zero = all.x_zero;
    d.y = all.y;
    d.finish = all.finish;
    const auto again = [&](auto& to, const auto& from) {
      to.clear();
      for (std::int64_t i = 0; i < phases; ++i) to.insert(to.end(), from.begin(), from.end());
    };
    again(d.bias, all.bias);
    again(d.finish.rescale, all.finish.rescale);
    again(d.finish.factor, all.finish.factor);
    again(d.finish.multiplier, all.finish.multiplier);
    again(d.finish.left, all.finish.left);
    again(d.finish.right, all.finish.right);
    again(d.w.zero, all.w.zero);
    d.w.is_signed = all.w.is_signed;
    d.w.depth = d.window.kernel_count() * d.ic;
    const auto size = static_cast<std::size_t>(d.oc * d.w.depth);
    d.w.own = std::make_unique_for_overwrite<std::byte[]>(size);
    d.w.codes = d.w.own.get();
    for (std::int64_t o = 0; o < d.oc; ++o)
      std::memset(d.w.own.get() + o * d.w.depth, d.w.zero[static_cast<std::size_t>(o)] & 255,
                  static_cast<std::size_t>(d.w.depth));
    for (std::int64_t i = 0; i < phases; ++i)
      each_tap_of(axes, i, [&](std::int64_t place, const std::array<std::int64_t, 3>& tap) {
        const auto& k = all.window.kernel;
        const std::int64_t from = (tap[0] * k[1] + tap[1]) * k[2] + tap[2];
        for (std::int64_t o = 0; o < all.oc; ++o)
          std::memcpy(d.w.own.get() + (i * all.oc + o) * d.w.depth + place * d.ic,
                      all.w.codes + o * all.w.depth + from * d.ic, static_cast<std::size_t>(d.ic));
      });
  }

  // visit(place in the window, tap) for each that phase `v` of the last axis sees.
  template <class Visit>
  static void each_tap_of(const std::array<const AxisPass*, 3>& axes, std::int64_t v,
                          Visit&& visit) {
    const auto at = [&](std::size_t a, const TransposedPhase::Tap& t) {
      return (axes[a]->high - t.place) / axes[a]->step;
    };
    for (const auto& d : axes[0]->phases[0].taps)
      for (const auto& h : axes[1]->phases[0].taps)
        for (const auto& t : axes[2]->phases[static_cast<std::size_t>(v)].taps)
          visit((at(0, d) * axes[1]->taps() + at(1, h)) * axes[2]->taps() + at(2, t),
                {d.tap, h.tap, t.tap});
  }

  // One line of a pass to its places in y.
  void place_row(const Pass& p, std::int64_t row, const std::byte* made, std::byte* y) const {
    const std::int64_t h = row % p.count[1], d = row / p.count[1] % p.count[0],
                       n = row / p.count[1] / p.count[0];
    const auto place = [&](std::size_t a, std::int64_t q) {
      return (p.first[a] + q) * w_.strides[a] + p.r[a] - w_.begin[a];
    };
    const std::byte* from = made + p.made_at + row * p.count[2] * p.phases * pixel_;
    std::byte* const line =
        y + ((n * w_.out[0] + place(0, d)) * w_.out[1] + place(1, h)) * w_.out[2] * pixel_;
    if (p.phases == w_.strides[2]) {
      const std::int64_t before = w_.begin[2] - p.first[2] * w_.strides[2];
      std::memcpy(line, from + before * pixel_, static_cast<std::size_t>(w_.out[2] * pixel_));
      return;
    }
    const std::int64_t step = w_.strides[2] * pixel_;
    std::byte* to = line + place(2, 0) * pixel_;
    for (std::int64_t q = 0; q < p.count[2]; ++q, to += step, from += pixel_)
      std::memcpy(to, from, static_cast<std::size_t>(pixel_));
  }

  const DotSet& set_;
  const TransposedWindow w_;
  Stage stage_;
  std::vector<Pass> passes_;
  std::int64_t y_size_ = 1, pixel_ = 1, units_ = 0, rows_ = 0, made_ = 0;
  bool direct_ = false;
};

}  // namespace

TransposedPhase transposed_phase(const TransposedAxis& a, std::int64_t r) {
  TransposedPhase p;
  p.r = r;
  p.first = -floor_div(r - a.begin, a.stride);
  p.last = floor_div(a.out - 1 + a.begin - r, a.stride);
  for (std::int64_t t = 0; t < a.kernel; ++t)
    if (t * a.dilation % a.stride == r) p.taps.push_back({t, (t * a.dilation - r) / a.stride});
  return p;
}

bool transposed_fits(const KernelProblem& p, const DotSet& set) {
  const auto d = transposed_problem(p, set.wide, set.wide);
  return d && (!set.wide || sums_fit(*d));
}

std::unique_ptr<PreparedKernel> prepare_transposed(const KernelProblem& p, const DotSet& set) {
  return std::make_unique<TransposedKernelOfCodes>(p, set);
}

}  // namespace lockstep
