#pragma once

#include <cstdint>
#include <limits>

#include "base/error.h"
#include "ir/quant.h"
#include "ir/tensor.h"

namespace lockstep {

// How far a device's tensor p lies from the reference's r, over all elements of all samples added.
// Reals are scale * (code - zero); one LSB is one step of the reference's scale.
struct Metrics {
  std::int64_t count = 0;
  std::int64_t differing = 0;  // unequal codes; float p against codes r: half a step apart or more;
                               // floats: unequal values
  std::int64_t not_finite = 0;  // NaN or infinite on one side only: counted in `differing`, left
                                // out of every figure below
  double cosine = 1;            // r.p / (|r| |p|); 1 when both are all zero, 0 when one is
  double rmse = 0;              // sqrt(mean (p - r)^2)
  double mae = 0;               // mean |p - r|
  double max_abs = 0;           // max |p - r|
  double sqnr_db = std::numeric_limits<double>::infinity();  // 10 log10(sum r^2 / sum (p - r)^2)
  bool has_lsb = false;             // the reference is quantized: the next three mean something
  double max_lsb = 0;               // max |p - r| / step
  double mean_lsb = 0;              // mean (p - r) / step: a bias, signed
  std::int64_t beyond_one_lsb = 0;  // elements more than one step apart

  double share_differing() const {
    return count ? static_cast<double>(differing) / static_cast<double>(count) : 0;
  }
  bool identical() const { return differing == 0; }
};

// Adds up pairs of tensors and yields their Metrics.
class Meter {
 public:
  // Both tensors hold the same number of elements in the same order; an error says when not. An
  // integer tensor without quantization of its own is read with the reference's.
  Result<void> add(const Tensor& reference, const QuantParams& reference_quant,
                   const Tensor& device, const QuantParams& device_quant);
  Metrics metrics() const;

 private:
  Metrics sums_;  // counts and maxima
  double rr_ = 0, pp_ = 0, rp_ = 0, dd_ = 0, abs_ = 0, lsb_ = 0;
};

// The metrics of one pair under one quantization.
Result<Metrics> measure(const Tensor& reference, const Tensor& device, const QuantParams& quant);

}  // namespace lockstep
