#pragma once

#include <algorithm>

#include "num/narrow_sums.h"
#include "op/op_gemm.h"
#include "op/op_transposed.h"

namespace lockstep {

// How a layer on codes turns its sums to codes: sums of 64 bits by `apply_wide`, of 32 by `apply`.
// Sums of 16-bit activations have 64 bits unless the bias has 32. N55, N57, N99.
struct SumRule {
  const RequantPolicy* policy = nullptr;
  bool wide = false;
};

inline bool has_narrow_bias(const NodeView& n) {
  return n.has_input(2) && n.input(2).dtype == DType::i32;
}

// Left to LiteRT by XNNPACK (N80).
inline bool is_left(const NodeView& n) {
  return n.attrs().text("kernel", "") == "left";
}

inline SumRule conv_sums(const NodeView& n, const Numerics& num) {
  const DType x = n.input(0).dtype;
  if (x == DType::u8 && is_left(n)) {
    const bool depthwise = n.attrs().text("weights", "OIHW") == "1HWO";
    return {n.attrs().integer("group", 1) == 1 && !depthwise ? &litert_product : num.matmul, false};
  }
  if (x != DType::i16)
    return {x == DType::u8 && num.conv_unsigned ? num.conv_unsigned : num.conv, false};
  const bool narrow = has_narrow_bias(n);
  if (narrow && has_litert_product(num) && n.attrs().integer("group", 1) == 1)
    return {&litert_product_by_channel, false};
  return {num.conv_int16 ? num.conv_int16 : num.conv, !narrow};
}

// Of one channel out of so many.
inline SumRule transposed_sums(const NodeView& n, const Numerics& num, std::int64_t channel,
                               std::int64_t channels) {
  const RequantPolicy* const policy = transposed_policy(n, num);
  const bool at_once = channel < channels / litert_channels_at_once * litert_channels_at_once;
  if (n.input(0).dtype == DType::i8 && is_left(n))
    return {at_once ? &litert_product_by_channel : policy, false};
  if (n.input(0).dtype != DType::i16) return {policy, false};
  if (!has_narrow_bias(n)) return {policy, true};
  return {has_litert_product(num) && at_once ? &litert_product_by_channel : policy, false};
}

// How many elements of y, from the first on, go through LiteRT's vectors of 16, which round a half
// up: transposed convolutions of uint8 codes that XNNPACK leaves. The others have
// `transposed_sums`.
inline std::int64_t half_up_elements(const NodeView& n) {
  const bool in_vectors = n.input(0).dtype == DType::u8 && is_left(n);
  return in_vectors ? count_of(n.output(0).shape) / 16 * 16 : 0;
}

// LiteRT's product needs no bias, but weights around zero.
inline SumRule dense_sums(const NodeView& n, const Numerics& num) {
  const Value &x = n.input(0), &w = n.input(1);
  if (x.dtype == DType::u8 && is_left(n)) return {&litert_product, false};
  const RequantPolicy* const policy = dense_policy(num, x, w);
  if (x.dtype != DType::i16) return {policy, false};
  const bool around_zero = std::ranges::all_of(w.quant.zero, [](std::int32_t z) { return z == 0; });
  const std::int64_t bits = has_narrow_bias(n) ? 32
                            : n.has_input(2)   ? 64
                                               : n.attrs().integer("sum_bits", 0);
  if (has_litert_product(num) && around_zero && bits != 64)
    return {w.quant.per_channel() ? &litert_product_by_channel : &litert_product, false};
  if (bits == 32 && num.dense_by_channel)
    return {num.dense_by_channel, false};  // N90: its multiplier, formed in double
  return {policy, bits != 32};
}

}  // namespace lockstep
