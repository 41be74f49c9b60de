#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/tensor.h"
#include "num/numerics.h"

namespace lockstep {

// A row of reals coded on the fly, and its product with a row of weights in codes. N69.
struct HybridRow {
  std::vector<std::int8_t> codes;
  float scale = 1;
  std::int32_t zero = 0;
};

// Weights under float activations lie around zero. Files of the first converters call their signed
// bytes uint8.
inline std::vector<std::int32_t> hybrid_weights(const Tensor& w) {
  std::vector<std::int32_t> codes(static_cast<std::size_t>(w.count()));
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = w.dtype() == DType::u8
                   ? static_cast<std::int8_t>(w.as<std::uint8_t>()[i])
                   : static_cast<std::int32_t>(w.code(static_cast<std::int64_t>(i)));
  return codes;
}

inline HybridRow hybrid_row(const HybridPolicy& policy, std::span<const float> x, bool asymmetric) {
  HybridRow row;
  row.codes.resize(x.size());
  if (asymmetric)
    policy.asymmetric(x, row.codes, row.scale, row.zero);
  else
    policy.symmetric(x, row.codes, row.scale);
  return row;
}

inline float hybrid_product(const HybridRow& x, const std::int8_t* weights, float weights_scale) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < x.codes.size(); ++i) sum += (x.codes[i] - x.zero) * weights[i];
  return static_cast<float>(sum) * (x.scale * weights_scale);
}

}  // namespace lockstep
