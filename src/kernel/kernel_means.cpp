#include "kernel/kernel_means.h"

#include <algorithm>

#include "op/op_codes.h"
#include "op/op_reduce.h"

namespace lockstep {
namespace {

// One axis of x as it lies in memory, outermost first: its extent, and how far a step goes in x and
// among the sums (0: reduced).
struct Axis {
  std::int64_t n, x_step, y_step;
};

// Strides of a tensor as it lies: channels last moves axis 1 behind the others.
Shape strides_as_laid(const Shape& s, bool channels_last) {
  Shape strides(s.size(), 1);
  std::vector<std::size_t> order;
  for (std::size_t d = 0; d < s.size(); ++d)
    if (!channels_last || d != 1) order.push_back(d);
  if (channels_last) order.push_back(1);
  std::int64_t step = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    strides[order[i]] = step;
    step *= s[order[i]];
  }
  return strides;
}

std::vector<Axis> axes_of(const Reduction& r, const Shape& x, bool channels_last) {
  const Shape x_steps = strides_as_laid(x, channels_last && x.size() > 2),
              y_steps = strides_as_laid(r.y, channels_last && r.y.size() > 2);
  const bool keeps = r.y.size() == x.size();
  std::vector<Axis> axes;
  std::size_t to = 0;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const bool stands = keeps || !r.reduced[d];
    if (x[d] != 1) axes.push_back({x[d], x_steps[d], r.reduced[d] ? 0 : y_steps[to]});
    to += stands;
  }
  std::ranges::sort(axes, [](const Axis& a, const Axis& b) { return a.x_step > b.x_step; });
  std::vector<Axis> joined;
  for (const Axis& a : axes) {
    if (!joined.empty() && joined.back().x_step == a.n * a.x_step &&
        joined.back().y_step == a.n * a.y_step)
      joined.back() = {joined.back().n * a.n, a.x_step, a.y_step};
    else
      joined.push_back(a);
  }
  // What the sums are taken of ends with positions and channels; one of either stands for none.
  if (joined.empty() || joined.back().y_step != 1) joined.push_back({1, 1, 1});
  if (joined.size() < 2 || joined[joined.size() - 2].y_step != 0)
    joined.insert(joined.end() - 1, {1, joined.back().n, 0});
  return joined;
}

const AveragePolicy* policy_of(const KernelProblem& p) {
  return p.view.node.op == "ReduceSum" ? p.num.sum : p.num.global_average;
}

#pragma GCC push_options
#pragma GCC optimize("O3")
template <class T>
std::int32_t sum_of_run(const T* x, std::int64_t n) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += x[i];
  return sum;
}
#pragma GCC pop_options

class Means : public PreparedKernel {
 public:
  Means(const KernelProblem& p, const MeanSteps& steps)
      : steps_(steps),
        policy_(*policy_of(p)),
        signed_(p.view.input(0).dtype == DType::i8),
        count_(count_of(p.view.output(0).shape)) {
    const Value &x = p.view.input(0), &y = p.view.output(0);
    CodeClamp clamp = clamp_of(p.view);
    if (p.view.node.op == "ReduceSum") {
      const bool unsigned_bytes = p.num.sums_bytes_unsigned;
      const CodeRange range = unsigned_bytes ? CodeRange{0, 255} : code_range(y.dtype);
      clamp = {static_cast<std::int32_t>(range.low), static_cast<std::int32_t>(range.high)};
      signed_ = signed_ && !unsigned_bytes;
    }
    scales_ = {x.quant.scale_at(0), y.quant.scale_at(0), x.quant.zero_at(0),
               y.quant.zero_at(0),  clamp.low,           clamp.high};
    const Reduction r = *reduction_of(p.view);
    behind_ = static_cast<std::int32_t>(r.count);
    form_ = mean_form(policy_, behind_, scales_);
    axes_[0] = axes_of(r, x.shape, false);
    axes_[1] = axes_of(r, x.shape, true);
  }

  std::size_t scratch_bytes(int) const override {
    return static_cast<std::size_t>(count_) * 4 + kernel_slack;
  }
  void run(const KernelRun& r) const override {
    auto* const sums = reinterpret_cast<std::int32_t*>(r.scratch);
    const std::vector<Axis>& axes = axes_[r.channels_last];
    if (are_rows(axes)) {
      const std::int64_t n = axes[1].n;
      r.workers.each(
          count_,
          [&](std::int64_t first, std::int64_t last, int) {
            steps_.sum_rows(r.in[0] + first * n, last - first, n, signed_, sums + first);
            finish(sums + first, last - first, r.out[0] + first);
          },
          std::max<std::int64_t>(1, worth_sharing / n));
      return;
    }
    std::fill_n(sums, count_, 0);
    walk(axes, 0, r.in[0], sums);
    finish(sums, count_, r.out[0]);
  }

 private:
  static constexpr std::int64_t worth_sharing = 16384;  // codes of a part

  // Each result is of one run of codes, run behind run.
  bool are_rows(const std::vector<Axis>& axes) const {
    return axes.size() == 3 && axes[2].n == 1 && axes[1].x_step == 1 &&
           axes[0].x_step == axes[1].n && axes[0].y_step == 1 && axes[0].n == count_;
  }
  void finish(const std::int32_t* sums, std::int64_t n, std::byte* y) const {
    std::int64_t i = form_ ? steps_.mean_codes(sums, n, *form_, static_cast<float>(scales_.low),
                                               static_cast<float>(scales_.high), y)
                           : 0;
    for (; i < n; ++i) y[i] = static_cast<std::byte>(policy_.apply(sums[i], behind_, scales_));
  }
  void walk(const std::vector<Axis>& axes, std::size_t d, const std::byte* x,
            std::int32_t* sums) const {
    const Axis& a = axes[d];
    if (d + 2 == axes.size()) {
      const std::int64_t channels = axes[d + 1].n;
      if (channels == 1 && a.x_step == 1) {
        *sums += signed_ ? sum_of_run(reinterpret_cast<const std::int8_t*>(x), a.n)
                         : sum_of_run(reinterpret_cast<const std::uint8_t*>(x), a.n);
        return;
      }
      if (a.x_step == channels) return steps_.sum_codes(x, a.n, channels, signed_, sums);
      for (std::int64_t i = 0; i < a.n; ++i)
        steps_.sum_codes(x + i * a.x_step, 1, channels, signed_, sums);
      return;
    }
    for (std::int64_t i = 0; i < a.n; ++i) walk(axes, d + 1, x + i * a.x_step, sums + i * a.y_step);
  }

  MeanSteps steps_;
  const AveragePolicy& policy_;
  AverageScales scales_{};
  std::optional<MeanForm> form_;
  bool signed_;
  std::int64_t count_;
  std::int32_t behind_ = 1;
  std::vector<Axis> axes_[2];  // as shaped, channels last
};

}  // namespace

bool means_fit(const KernelProblem& p) {
  const Value &x = p.view.input(0), &y = p.view.output(0);
  const auto byte_code = [](const Value& v) {
    return is_code(v) && (v.dtype == DType::i8 || v.dtype == DType::u8);
  };
  const AveragePolicy* const policy = policy_of(p);
  return policy && policy->apply && !policy->window && byte_code(x) && byte_code(y) &&
         !p.constants[0] && count_of(x.shape) > 0 && reduction_of(p.view).ok();
}

std::unique_ptr<PreparedKernel> prepare_means(const KernelProblem& p, const MeanSteps& steps) {
  return std::make_unique<Means>(p, steps);
}

}  // namespace lockstep
