#include <cstring>

#include "kernel/kernel_recurrent_codes.h"
#include "kernel/kernel_row_sums.h"
#include "num/fixed.h"
#include "op/op_codes.h"

#pragma GCC push_options
#pragma GCC optimize("O3")

namespace lockstep {
namespace {

// sum (state - zero) * v, which wraps as the sum of 32 bits does.
template <class Code>
[[gnu::always_inline]] inline std::int32_t past_of(const Code* state, std::int32_t zero,
                                                   const std::int16_t* v, std::int64_t n) {
  std::uint32_t sum = 0;
  for (std::int64_t k = 0; k < n; ++k)
    sum += static_cast<std::uint32_t>((std::int32_t{state[k]} - zero) * v[k]);
  return static_cast<std::int32_t>(sum);
}

RowSums newest_of(const KernelProblem& p, const DotSet& set) {
  const Shape &x = p.view.input(0).shape, &w = p.view.input(1).shape;
  const auto codes = p.constants[1]->as<std::int8_t>();
  const std::int32_t zero = p.view.input(0).quant.zero_at(0);
  std::vector<std::int32_t> start;
  for (std::int64_t f = 0; f < w[0]; ++f) {
    std::int32_t sum = 0;
    for (std::int64_t k = 0; k < w[1]; ++k) sum += codes[static_cast<std::size_t>(f * w[1] + k)];
    start.push_back(-zero * sum);
  }
  return RowSums(set, x[0], w[1], std::move(start), codes);
}

// N70.
class SvdfOfCodes : public PreparedKernel {
 public:
  SvdfOfCodes(const KernelProblem& p, const DotSet& set)
      : newest_(newest_of(p, set)), policy_(*p.num.state) {
    const auto quant = [&](std::size_t i) -> const QuantParams& { return p.view.input(i).quant; };
    const Value &v = p.view.input(2), &y = p.view.output(0);
    batch_ = p.view.input(0).shape[0];
    filters_ = v.shape[0];
    memory_ = v.shape[1];
    rank_ = p.view.attrs().integer("rank", 1);
    into_ = policy_.prepare(quant(0).scale_at(0), quant(1).scale_at(0), quant(4).scale_at(0));
    out_of_ = policy_.prepare(quant(4).scale_at(0), quant(2).scale_at(0), y.quant.scale_at(0));
    state_zero_ = quant(4).zero_at(0);
    y_zero_ = y.quant.zero_at(0);
    width_ = size_of(p.view.input(4).dtype);
    for (std::int64_t k = 0; k < filters_ * memory_; ++k)
      v_.push_back(static_cast<std::int16_t>(p.constants[2]->code(k)));
    for (std::int64_t u = 0; u < filters_ / rank_; ++u)
      bias_.push_back(p.view.has_input(3) ? static_cast<std::int32_t>(p.constants[3]->code(u)) : 0);
  }

  std::size_t scratch_bytes(int) const override { return newest_.scratch_bytes() + sums_bytes(); }
  std::size_t resident_bytes() const override { return newest_.resident_bytes() + 2 * v_.size(); }

  void run(const KernelRun& r) const override {
    auto* const sums = reinterpret_cast<std::int32_t*>(r.scratch);
    newest_.run(r.in[0], sums, r.scratch + sums_bytes(), r.workers);
    // The whole state moves one entry down.
    const auto size = static_cast<std::size_t>(batch_ * filters_ * memory_) * width_;
    std::memcpy(r.out[1], r.in[4] + width_, size - width_);
    if (width_ == 1)
      finish(sums, reinterpret_cast<std::int8_t*>(r.out[1]), r.out[0]);
    else
      finish(sums, reinterpret_cast<std::int16_t*>(r.out[1]), r.out[0]);
  }

 private:
  std::size_t sums_bytes() const {
    return static_cast<std::size_t>(batch_ * filters_ * 4 + 63) / 64 * 64;
  }

  template <class Code>
  void finish(const std::int32_t* sums, Code* state, std::byte* y) const {
    constexpr std::int32_t low = std::numeric_limits<Code>::min(),
                           high = std::numeric_limits<Code>::max();
    for (std::int64_t f = 0; f < batch_ * filters_; ++f)
      state[(f + 1) * memory_ - 1] =
          static_cast<Code>(clamp_code(policy_.apply(sums[f], into_), low, high) + state_zero_);
    const std::int64_t units = filters_ / rank_, entries = rank_ * memory_;
    for (std::int64_t b = 0; b < batch_; ++b)
      for (std::int64_t u = 0; u < units; ++u) {
        const auto sum =
            static_cast<std::uint32_t>(bias_[static_cast<std::size_t>(u)]) +
            static_cast<std::uint32_t>(past_of(state + (b * units + u) * entries, state_zero_,
                                               v_.data() + u * entries, entries));
        const std::int64_t code = policy_.apply(static_cast<std::int32_t>(sum), out_of_);
        y[b * units + u] = static_cast<std::byte>(clamp_code(code + y_zero_, -128, 127));
      }
  }

  const RowSums newest_;
  const RequantPolicy& policy_;
  std::int64_t batch_ = 0, filters_ = 0, memory_ = 0, rank_ = 1;
  Rescale into_, out_of_;
  std::int32_t state_zero_ = 0, y_zero_ = 0;
  std::size_t width_ = 2;
  std::vector<std::int16_t> v_;
  std::vector<std::int32_t> bias_;
};

}  // namespace

bool svdf_codes_fits(const KernelProblem& p) {
  const NodeView& n = p.view;
  if (!p.num.state || n.input_count() < 5 || p.constants[0] || p.constants[4]) return false;
  for (const std::size_t i : {1, 2, 3})
    if (n.has_input(i) && !p.constants[i]) return false;
  const auto short_code = [](const Value& v) {
    return is_code(v) && (v.dtype == DType::i8 || v.dtype == DType::i16);
  };
  return is_code(n.input(0)) && n.input(0).dtype == DType::i8 && is_code(n.output(0)) &&
         n.output(0).dtype == DType::i8 && n.input(1).dtype == DType::i8 &&
         short_code(n.input(2)) && short_code(n.input(4)) && count_of(n.input(0).shape) > 0 &&
         count_of(n.input(4).shape) > 0 && n.node.outputs.size() == 2 &&
         n.node.outputs[1] != no_id && (!n.has_input(3) || n.input(3).dtype == DType::i32);
}

std::unique_ptr<PreparedKernel> prepare_svdf_codes(const KernelProblem& p, const DotSet& set) {
  return std::make_unique<SvdfOfCodes>(p, set);
}

}  // namespace lockstep

#pragma GCC pop_options
