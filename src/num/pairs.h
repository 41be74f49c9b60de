#pragma once

#include <cstdint>

#include "num/fixed.h"

namespace lockstep {

// N46: what a sum of products of stored codes (uint8 times int8) loses where the products are added
// two by two into 16 bits that saturate.
class PairLoss {
 public:
  void add(std::int32_t product) {
    if (half_)
      end_pair(first_ + product);
    else
      first_ = product;
    half_ = !half_;
  }
  // With the pair that stands open; a product alone fits.
  std::int64_t total() const { return half_ ? loss_ + saturate16(first_) - first_ : loss_; }

 private:
  void end_pair(std::int32_t sum) { loss_ += saturate16(sum) - sum; }

  std::int64_t loss_ = 0;
  std::int32_t first_ = 0;
  bool half_ = false;
};

}  // namespace lockstep
