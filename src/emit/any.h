#pragma once

#include "emit/finish.h"
#include "emit/window.h"
#include "op/op_sums.h"

namespace lockstep {

// What is written for kernels of any element type (rt/ls_any.h).

// "LS_S8"; only for types that ls_get reads.
std::string element_of(DType type);
// Codes of 8 or 16 bits.
bool is_short_code(const Value& v);

// How the sums of each of so many output channels become codes; LiteRT's product takes the first
// channels, where any.
class SumRules {
 public:
  SumRules(SumRule of_all, std::int64_t channels);
  template <class F>
  SumRules(std::int64_t channels, F&& rule) : channels_(channels), rule_(rule(channels - 1)) {
    for (std::int64_t o = 0; o < channels; ++o)
      if (const SumRule one = rule(o); is_half_up(one)) half_up_ = o + 1, first_ = one;
  }
  static bool is_half_up(const SumRule& r) {
    return r.policy == &litert_product || r.policy == &litert_product_by_channel;
  }
  const SumRule& of(std::int64_t channel) const { return channel < half_up_ ? first_ : rule_; }
  const SumRule& rule() const { return rule_; }
  std::int64_t half_up() const { return half_up_; }
  std::int64_t channels() const { return channels_; }

 private:
  std::int64_t channels_, half_up_ = 0;
  SumRule rule_, first_;
};
// The field `scale`: sums to codes of y. One multiplier where the weights have one scale.
Result<void> write_scaler(NodeWriter& w, const SumRules& rules);
// The field bias, of 64 bits, where there is one.
void write_wide_bias(NodeWriter& w, const Tensor* bias, std::int64_t outputs);
// The fields weights, w_zero, x_zero, x_type and bias of an ls_conv_any_p, `codes` in its order.
void write_any_operands(NodeWriter& w, std::span<const std::int64_t> codes, const Tensor* bias,
                        std::int64_t outputs);

// Operators of which some element types have kernels of their own and the others these.
Result<void> write_conv_any(NodeWriter& w, const Window& g, std::span<const std::int64_t> codes,
                            const SumRules& rules);
// Of 16-bit codes and weights whose zero points are 0, channels last, of two axes at most
// (rt/ls_conv_16.c).
bool is_plain_16(const NodeView& v, const Window& g);
// Bytes of scratch that it asks for.
std::int64_t scratch_16(const Window& g, std::int64_t group);
Result<void> write_conv_16(NodeWriter& w, const Window& g, std::span<const std::int64_t> codes,
                           std::int64_t group, const SumRules& rules);
Result<void> write_matmul_any(NodeWriter& w, const RequantPolicy* policy);
Result<void> write_pool_any(NodeWriter& w, const Window& g, const std::string& function);

}  // namespace lockstep
