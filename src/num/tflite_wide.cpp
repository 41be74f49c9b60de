#include "num/tflite_wide.h"

#include "num/activation.h"
#include "num/cmsis_nn.h"
#include "num/device_tables.h"
#include "num/tflite_fixed.h"
#include "num/tflite_functions.h"
#include "num/tflite_policies.h"

namespace lockstep {
namespace {

// N72: 256 values of 65536 * sigmoid(i / 24), each moved by a sixteenth of the second difference.
std::uint32_t sigmoid_sample(std::uint32_t i) {
  const auto f = [](double k) { return 65536 / (1 + std::exp(-k / 24)); };
  if (i == 255) return 65535;
  const double k = i;
  return static_cast<std::uint32_t>(std::floor(f(k) - (f(k + 1) + f(k - 1) - 2 * f(k)) / 16 + 0.5));
}

// The sigmoid of |x| between samples 2^bits apart, with `bits` fraction bits more than the samples.
std::int32_t sigmoid_between(std::uint32_t magnitude, int bits, std::int32_t limit) {
  const std::uint32_t index = magnitude >> bits;
  if (index >= 255) return limit;
  static const auto samples = [] {
    std::vector<std::uint32_t> v(256);
    for (std::uint32_t i = 0; i < 256; ++i) v[i] = sigmoid_sample(i);
    return v;
  }();
  const std::uint32_t fraction = magnitude & ((1u << bits) - 1);
  return static_cast<std::int32_t>((samples[index] << bits) +
                                   fraction * (samples[index + 1] - samples[index]));
}

std::int32_t scaled_input(std::int32_t code, const WideInput& w) {
  const std::int32_t round = w.shift > 0 ? 1 << (w.shift - 1) : 0;
  return (code * w.multiplier + round) >> w.shift;
}

template <class Real>
std::vector<std::int32_t> exponential_samples() {
  return samples16<Real>(Real{10} / 65535, 32767, Real{2} / 65535, 0,
                         [](Real v) { return std::exp(v); });
}
template <class Real>
std::vector<std::int32_t> inverses() {
  return samples16<Real>(Real{1} / 65535, -32768, Real{2} / 65535, 0,
                         [](Real v) { return 1 / (1 + v); });
}

// N72: differences in units of 10/65535, exp and 1/(1+x) by samples taken in Real.
template <class Real>
void softmax16(std::span<const std::int32_t> x, std::span<std::int32_t> y, const SoftmaxScales& s) {
  static const auto exp_samples = exponential_samples<Real>(), inverse_samples = inverses<Real>();
  const Rescale r = tflite_wide_differences(s);
  const std::int32_t greatest = std::ranges::max(x);
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::int32_t diff = rescale_twice(x[i] - greatest, r) + 32767;
    y[i] = between_samples(exp_samples, clamp_code(diff, -32768, 32767));
    sum += y[i];
  }
  const int headroom = leading_zeros(static_cast<std::uint32_t>(sum));
  const auto shifted =
      static_cast<std::int32_t>(((std::int64_t{sum} << (headroom - 1)) + (1 << 13)) >> 14);
  const std::int32_t inverse = between_samples(
      inverse_samples, clamp_code(std::int64_t{shifted} - ((1 << 15) + (1 << 16)), -32768, 32767));
  const int down = 31 - headroom;
  for (std::int32_t& v : y) {
    const std::int64_t product = std::int64_t{v} * inverse + (std::int64_t{1} << (down - 1));
    v = clamp_code(product >> down, 0, 32767);
  }
}

}  // namespace

std::int32_t between_samples(const std::vector<std::int32_t>& samples, std::int32_t code) {
  const auto index = static_cast<std::size_t>(256 + (code >> 7));
  const std::int32_t slope = static_cast<std::int16_t>(samples[index + 1] - samples[index]);
  return static_cast<std::int16_t>(samples[index] + ((slope * (code & 0x7f) + 64) >> 7));
}

WideInput wide_input(double x_scale, int powers) {
  const float log2 = std::log(static_cast<float>(x_scale)) * (1.0f / std::log(2.0f));
  const bool power = std::abs(log2 - std::round(log2)) < 1e-3f;
  const int left = 12 + nearest_away(log2);
  if (power && left >= 0 && left < powers) return {3 << left, 0};
  double multiplier = x_scale * 4096.0 * 3.0;
  std::int32_t shift = 0;
  for (; multiplier <= 32767.0 / 2.0 && shift <= 30; ++shift) multiplier *= 2;
  return {static_cast<std::int32_t>(multiplier), shift};
}

std::int16_t wide_sigmoid(std::int32_t code, const WideInput& w) {
  const std::int32_t x = scaled_input(code, w);
  const std::int32_t y = sigmoid_between(static_cast<std::uint32_t>(std::abs(x)), 9, 0x7fff << 10);
  return static_cast<std::int16_t>((x >= 0 ? y + (1 << 9) : (1 << 25) - y + (1 << 9) - 1) >> 10);
}

std::int16_t wide_tanh(std::int32_t code, const WideInput& w) {
  const std::int32_t x = scaled_input(code, w);
  const std::int32_t y = sigmoid_between(static_cast<std::uint32_t>(std::abs(x)), 8, 0xffff << 8);
  return static_cast<std::int16_t>(
      (x >= 0 ? y - (1 << 23) + (1 << 7) : -y + (1 << 23) + (1 << 7) - 1) >> 8);
}

std::vector<std::int64_t> exponential_samples_of(const SoftmaxPolicy& p) {
  const auto v = p.apply == tflm_softmax_wide.apply ? exponential_samples<float>()
                                                    : exponential_samples<double>();
  return {v.begin(), v.end()};
}
std::vector<std::int64_t> inverse_samples_of(const SoftmaxPolicy& p) {
  const auto v = p.apply == tflm_softmax_wide.apply ? inverses<float>() : inverses<double>();
  return {v.begin(), v.end()};
}
std::vector<std::int64_t> tflite_sigmoid_samples() {
  std::vector<std::int64_t> v;
  for (std::uint32_t i = 0; i < 256; ++i) v.push_back(sigmoid_sample(i));
  return v;
}
Rescale tflite_wide_input(double x_scale, bool tanh) {
  const WideInput w = wide_input(x_scale, tanh ? 2 : 1);
  Rescale r;
  r.multiplier = w.multiplier, r.shift = w.shift;
  return r;
}
Rescale tflite_wide_differences(const SoftmaxScales& s) {
  const float scaled = static_cast<float>(s.x_scale) * static_cast<float>(s.beta);
  return fixed_multiplier(static_cast<double>(scaled) / (10.0 / 65535.0));
}

std::optional<std::vector<std::int64_t>> straight_samples(std::span<const std::int32_t> table) {
  if (table.size() != 65536) return std::nullopt;
  std::vector<std::int32_t> samples;
  for (std::size_t i = 0; i < 512; ++i) samples.push_back(table[128 * i]);
  const auto fits = [&](std::int32_t from, std::int32_t to) {
    for (std::int32_t code = from; code < to; ++code)
      if (between_samples(samples, code) != table[static_cast<std::size_t>(code + 32768)])
        return false;
    return true;
  };
  // Of the last piece only the end is not in the table.
  const std::int32_t last = table[65535] - samples[511];
  samples.push_back(0);
  if (!fits(-32768, 32767 - 127)) return std::nullopt;
  for (std::int32_t slope = last - 2; slope <= last + 2 + last / 64; ++slope) {
    samples[512] = samples[511] + slope;
    if (samples[512] >= -32768 && samples[512] <= 32767 && fits(32767 - 127, 32768))
      return std::vector<std::int64_t>(samples.begin(), samples.end());
  }
  for (std::int32_t slope = last + 2; slope >= last - 2 + last / 64; --slope) {
    samples[512] = samples[511] + slope;
    if (samples[512] >= -32768 && samples[512] <= 32767 && fits(32767 - 127, 32768))
      return std::vector<std::int64_t>(samples.begin(), samples.end());
  }
  return std::nullopt;
}

const SoftmaxPolicy tflite_softmax_wide = {"tflite-softmax-wide", softmax16<double>};
const SoftmaxPolicy tflm_softmax_wide = {"tflm-softmax-wide", softmax16<float>};

}  // namespace lockstep
