#pragma once

#include <span>
#include <utility>

#include "op/op.h"

namespace lockstep {

// What the forms of a Gemm share.

struct GemmSizes {
  std::int64_t m = 0, n = 0, k = 0;
  bool trans_a = false, trans_b = false;
};

Result<GemmSizes> gemm_sizes_of(const NodeView& v);
// Strides of the third operand, which spreads from (), (n), (1,n), (m,1) or (m,n).
Result<std::pair<std::int64_t, std::int64_t>> gemm_bias_strides(const NodeView& v,
                                                                const GemmSizes& s);

// take(row, column, sum), every sum in the order of k.
template <class Sum, class T, class Take>
void gemm_products(const GemmSizes& s, std::span<const T> a, std::span<const T> b, Take&& take) {
  const std::int64_t am = s.trans_a ? 1 : s.k, ak = s.trans_a ? s.m : 1;
  const std::int64_t bn = s.trans_b ? s.k : 1, bk = s.trans_b ? 1 : s.n;
  for (std::int64_t i = 0; i < s.m; ++i)
    for (std::int64_t j = 0; j < s.n; ++j) {
      Sum sum = 0;
      for (std::int64_t k = 0; k < s.k; ++k)
        sum += static_cast<Sum>(a[static_cast<std::size_t>(i * am + k * ak)]) *
               static_cast<Sum>(b[static_cast<std::size_t>(j * bn + k * bk)]);
      take(i, j, sum);
    }
}

// Which policy rounds a layer's codes: where scales differ by column an arithmetic may have one of
// its own, and one for 16-bit activations.
inline const RequantPolicy* dense_policy(const Numerics& num, const Value& x,
                                         const Value& weights) {
  if (weights.quant.per_channel() && num.dense_by_channel) return num.dense_by_channel;
  return x.dtype == DType::i16 && num.dense_int16 ? num.dense_int16 : num.dense;
}

// By the types of operands and result. N57, N22, N69.
Result<void> gemm_codes(EvalContext& c, const GemmSizes& s);
Result<void> gemm_codes_to_reals(EvalContext& c, const GemmSizes& s);
Result<void> gemm_hybrid(EvalContext& c, const GemmSizes& s);

}  // namespace lockstep
