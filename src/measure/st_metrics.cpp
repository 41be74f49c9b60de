#include "measure/st_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/text.h"
#include "measure/reals.h"

namespace lockstep {

namespace {

constexpr double eps = std::numeric_limits<float>::epsilon();

std::int64_t class_count(const Shape& shape) {
  std::int64_t classes = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) classes = std::max(classes, shape[i]);
  return classes;
}

// First index of the greatest element, as NumPy's argmax.
std::ptrdiff_t argmax(const double* row, std::int64_t n) {
  return std::max_element(row, row + n) - row;
}

void welford(double x, std::int64_t n, double& mean, double& m2) {
  const double before = x - mean;
  mean += before / static_cast<double>(n);
  m2 += before * (x - mean);
}

std::vector<double> float_reals(const Tensor& tensor, const QuantParams& quant) {
  std::vector<double> reals = reals_of(tensor, quant);
  for (double& x : reals) x = static_cast<float>(x);
  return reals;
}

}  // namespace

bool classifier_shaped(const Shape& shape) {
  if (shape.size() < 2) return false;
  return std::count_if(shape.begin() + 1, shape.end(), [](auto extent) { return extent > 1; }) == 1;
}

Result<void> StMeter::add(const Tensor& reference, const Tensor& device, const QuantParams& quant) {
  if (reference.count() != device.count())
    return Error{.where = "comparison",
                 .what = "a device tensor of shape " + shape_text(device.shape()),
                 .want = "as many elements as the reference's " + shape_text(reference.shape()),
                 .hint = ""};
  const std::vector<double> r = float_reals(reference, quant), p = float_reals(device, quant);
  for (std::size_t i = 0; i < r.size(); ++i) {
    const double d = r[i] - p[i];
    ++n_;
    rr_ += r[i] * r[i];
    pp_ += p[i] * p[i];
    rp_ += r[i] * p[i];
    dd_ += d * d;
    abs_ += std::abs(d);
    welford(d, n_, d_mean_, d_m2_);
    welford(r[i], n_, r_mean_, r_m2_);
  }
  classifier_ = classifier_ && classifier_shaped(reference.shape());
  if (!classifier_) return {};
  const std::int64_t classes = class_count(reference.shape());
  for (std::int64_t row = 0; row + classes <= reference.count(); row += classes, ++rows_)
    agree_ += argmax(r.data() + row, classes) == argmax(p.data() + row, classes);
  return {};
}

StMetrics StMeter::metrics() const {
  StMetrics m;
  const double n = static_cast<double>(n_);
  if (classifier_ && rows_ > 0) m.acc = static_cast<double>(agree_) / static_cast<double>(rows_);
  m.rmse = std::sqrt(dd_ / n);
  m.mae = abs_ / n;
  m.l2r = std::sqrt(dd_) / (std::sqrt(pp_) + eps);
  m.mean = d_mean_;
  m.std = std::sqrt(d_m2_ / (n - 1));
  m.snr = 10 * std::log10(rr_ / dd_);
  m.nse = 1 - dd_ / n / (r_m2_ / (n - 1) + eps);
  m.cos = rp_ / (std::sqrt(rr_) * std::sqrt(pp_));
  return m;
}

}  // namespace lockstep
