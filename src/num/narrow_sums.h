#pragma once

#include "num/numerics.h"

namespace lockstep {

// 32-bit sums of 16-bit activations under 8-bit weights, as LiteRT's matrix product requantizes
// them. docs/numerics.md N99. `litert_dense` is N57, its name says that an arithmetic has this
// product for narrow sums.
extern const RequantPolicy litert_dense;
extern const RequantPolicy litert_product;             // one multiplier, N56
extern const RequantPolicy litert_product_by_channel;  // one for each channel, N55

inline bool has_litert_product(const Numerics& num) {
  return num.dense_int16 == &litert_dense;
}

// Transposed convolutions go through vectors of so many channels; the channels that are left over,
// one by one by N53.
inline constexpr std::int64_t litert_channels_at_once = 8;

}  // namespace lockstep
