#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "ir/quant.h"
#include "ir/tensor.h"

namespace lockstep {

// The figures that ST's `validate` prints, by ST's definitions: r the reference's elements, p the
// device's, both dequantized to float32 with the original model's scale and zero point, N of them
// over the whole batch. eps is the float32 epsilon. Note that l2r divides by the device's norm,
// that mean and std are of r - p, and that cos has no guard against a zero vector (NaN then).
struct StMetrics {
  std::optional<double> acc;  // share of samples whose argmax agrees; only of classifiers
  double rmse = 0;            // sqrt(mean (r-p)^2)
  double mae = 0;             // mean |r-p|
  double l2r = 0;             // |r-p| / (|p| + eps)
  double mean = 0;            // mean (r-p)
  double std = 0;             // of r-p, divided by N-1 (NaN for one element)
  double snr = 0;             // 10 log10(sum r^2 / sum (r-p)^2), as of ST Edge AI 4
  double nse = 0;             // 1 - mean (r-p)^2 / (var(r) + eps), var divided by N-1
  double cos = 0;             // r.p / (|r| |p|)
};

// Classifier-shaped: one extent above 1 in the shape of one sample (its first axis is the batch).
bool classifier_shaped(const Shape& shape);

// Adds up the samples of one network output. acc counts rows along the only extent above 1.
class StMeter {
 public:
  // An error when the two hold different numbers of elements.
  Result<void> add(const Tensor& reference, const Tensor& device, const QuantParams& quant);
  StMetrics metrics() const;

 private:
  std::int64_t n_ = 0, rows_ = 0, agree_ = 0;
  bool classifier_ = true;
  double rr_ = 0, pp_ = 0, rp_ = 0, dd_ = 0, abs_ = 0;
  double d_mean_ = 0, d_m2_ = 0, r_mean_ = 0,
         r_m2_ = 0;  // Welford: mean and sum of squares around it
};

}  // namespace lockstep
