#include "measure/metrics.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "measure/reals.h"

namespace lockstep {

namespace {

// Both hold codes that mean the same: equality is equality of codes, differences are whole LSB.
bool same_codes(const Tensor& r, const QuantParams& rq, const Tensor& p, const QuantParams& pq) {
  return is_integer(r.dtype()) && is_integer(p.dtype()) && rq == pq;
}

}  // namespace

Result<void> Meter::add(const Tensor& reference, const QuantParams& reference_quant,
                        const Tensor& device, const QuantParams& device_quant) {
  if (reference.count() != device.count())
    return Error{.where = "comparison",
                 .what = "a device tensor of shape " + shape_text(device.shape()),
                 .want = "as many elements as the reference's " + shape_text(reference.shape()),
                 .hint = ""};
  const QuantParams& own = device_quant.quantized() ? device_quant : reference_quant;
  const std::vector<double> r = reals_of(reference, reference_quant), p = reals_of(device, own);
  const bool lsb = reference_quant.quantized();
  const bool codes = same_codes(reference, reference_quant, device, own);
  // A float against codes differs from half a step on; everything else when it is not equal.
  const double apart = lsb && !codes ? 0.5 : 0;
  const ChannelIndex channel(reference_quant, reference.shape());
  sums_.has_lsb = sums_.has_lsb || lsb;
  sums_.count += reference.count();
  for (std::size_t i = 0; i < r.size(); ++i) {
    if (!std::isfinite(r[i]) || !std::isfinite(p[i])) {
      if (r[i] == p[i] || (std::isnan(r[i]) && std::isnan(p[i]))) continue;
      ++sums_.not_finite;
      ++sums_.differing;
      continue;
    }
    const double d = p[i] - r[i];
    rr_ += r[i] * r[i];
    pp_ += p[i] * p[i];
    rp_ += r[i] * p[i];
    dd_ += d * d;
    abs_ += std::abs(d);
    sums_.max_abs = std::max(sums_.max_abs, std::abs(d));
    double steps = d;
    if (lsb) {
      const double step = reference_quant.scale_at(channel(static_cast<std::int64_t>(i)));
      steps = codes ? static_cast<double>(device.code(static_cast<std::int64_t>(i)) -
                                          reference.code(static_cast<std::int64_t>(i)))
                    : d / step;
      sums_.max_lsb = std::max(sums_.max_lsb, std::abs(steps));
      sums_.beyond_one_lsb += std::abs(steps) > 1.0 + 1e-6;
      lsb_ += steps;
    }
    sums_.differing += apart > 0 ? std::abs(steps) >= apart : steps != 0;
  }
  return {};
}

Metrics Meter::metrics() const {
  Metrics m = sums_;
  const double n = static_cast<double>(m.count - m.not_finite);
  if (rr_ > 0 && pp_ > 0)
    m.cosine = std::clamp(rp_ / (std::sqrt(rr_) * std::sqrt(pp_)), -1.0, 1.0);
  else
    m.cosine = rr_ == pp_ ? 1 : 0;
  if (n > 0) {
    m.rmse = std::sqrt(dd_ / n);
    m.mae = abs_ / n;
    m.mean_lsb = lsb_ / n;
  }
  if (dd_ > 0) m.sqnr_db = 10 * std::log10(rr_ / dd_);
  return m;
}

Result<Metrics> measure(const Tensor& reference, const Tensor& device, const QuantParams& quant) {
  Meter meter;
  LOCKSTEP_CHECK(meter.add(reference, quant, device, quant));
  return meter.metrics();
}

}  // namespace lockstep
