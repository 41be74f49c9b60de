// step[k] = 2^s0 * m[k], noise^2 = (passes * step^2 + inner^2) / 12 LSB^2, error = (got[k] / m[k] -
// 1) * (code - offset)
#include "npu/drift.h"

#include <algorithm>
#include <cmath>

namespace lockstep {

double NpuDrift::data_path(std::size_t k) const {
  return 0.5 * (passes * step[k] + inner_step) + constant_error[k];
}

namespace {

// The mean square of the distance of two codes whose reals lie d apart, d normal with deviation
// sigma: |d| = n + f makes n with probability 1 - f and n + 1 with f.
double square_between_codes(double sigma) {
  double sum = 0, weight = 0;
  for (int i = 0; i < 400; ++i) {
    const double z = (i + 0.5) / 80, w = std::exp(-z * z / 2), d = sigma * z, n = std::floor(d),
                 f = d - n;
    sum += w * (n * n * (1 - f) + (n + 1) * (n + 1) * f);
    weight += w;
  }
  return sum / weight;
}

}  // namespace

double NpuDrift::square(std::size_t k, double code) const {
  const double shift = multiplier_error[k] * (code - offset[k]);
  return square_between_codes(
      std::sqrt((passes * step[k] * step[k] + inner_step * inner_step) / 12 + shift * shift));
}

double rounding_of(const RequantPolicy& policy, double x_scale, double w_scale, double y_scale) {
  const double m = x_scale * w_scale / y_scale;
  if (!(m > 0)) return 0.5;
  const Rescale rescale = policy.prepare(x_scale, w_scale, y_scale);
  const double reach = std::min(128 / m, 1e9);
  constexpr int tries = 1024;
  double most = 0.5;
  for (int i = 0; i < tries; ++i) {
    const double turn = i * 0.6180339887498949;  // spread, in no step with the product
    const auto sum = static_cast<std::int32_t>(reach * (2 * (turn - std::floor(turn)) - 1));
    most = std::max(most, std::abs(policy.apply(sum, rescale) - sum * m));
  }
  return most;
}

std::string_view name_of(NpuCause cause) {
  constexpr std::string_view names[] = {
      "equal",  "rounding",          "16-bit sums",  "16-bit multiplier",
      "tables", "16-bit saturation", "what arrives", "unexplained"};
  return names[static_cast<int>(cause)];
}

namespace {

// What is left of the range of 16 bits, as codes, behind the stages of one channel.
std::pair<double, double> reach(const NpuLayer& l, std::size_t k) {
  double low = INT16_MIN, high = INT16_MAX;
  for (const NpuStage& s : l.stages) {
    low = low * s.factor_at(k) + s.offset_at(k), high = high * s.factor_at(k) + s.offset_at(k);
    if (low > high) std::swap(low, high);
    if (s.arith->outbytes_o == 2)
      low = std::clamp<double>(low, INT16_MIN, INT16_MAX),
      high = std::clamp<double>(high, INT16_MIN, INT16_MAX);
  }
  return {low, high};
}

}  // namespace

Result<std::vector<NpuDrift>> predict_drift(const NpuSimulator& simulator, const Graph& model,
                                            const RequantPolicy* reference) {
  LOCKSTEP_TRY(const std::vector<NpuLayer> layers, npu_layers(simulator));
  const std::vector<ModelLayer> wanted = model_layers(model);
  std::vector<NpuDrift> out;
  for (const NpuLayerPair& p : pair_layers(layers, wanted)) {
    if (!p.model || p.layer->stages.empty() || !p.layer->stages.back().ends_in_codes()) continue;
    const NpuLayer& l = *p.layer;
    const ModelLayer& m = *p.model;
    const auto n = static_cast<std::size_t>(m.out_channels);
    if (!std::ranges::all_of(l.stages, [&](const NpuStage& s) {
          return s.factor.size() == 1 || s.factor.size() == n;
        }))
      continue;
    NpuDrift d;
    d.node = m.node, d.tensor = m.output, d.epoch = l.epoch, d.codes_epoch = l.codes_epoch,
    d.passes = l.passes + l.parts - 1;
    d.in_parts = l.parts > 1, d.input = m.input, d.epochs = l.part_epochs,
    d.epochs.push_back(l.epoch);
    for (std::size_t k = 0; k < n; ++k) {
      const double want = m.multiplier(k),
                   offset = (m.bias.empty() ? 0 : m.bias[k] * want) + static_cast<double>(m.y_zero);
      d.multiplier.push_back(want);
      d.step.push_back(std::ldexp(std::max(want, l.multiplier(k)), l.shift));
      d.multiplier_error.push_back(want == 0 ? 0 : l.multiplier(k) / want - 1);
      d.offset.push_back(offset);
      d.constant_error.push_back(std::abs(l.offset(k) - offset));
      d.reference_rounding.push_back(
          reference ? rounding_of(*reference, m.x_scale, m.w_scale[m.w_scale.size() == 1 ? 0 : k],
                                  m.y_scale)
                    : 0.5);
      const auto [low, high] = reach(l, k);
      d.lowest.push_back(low), d.highest.push_back(high);
      d.gain.push_back(2 * want * static_cast<double>(m.kernel_worst[k]));
      d.gain_squared.push_back(want * want * static_cast<double>(m.kernel_squares[k]));
      // One unit alone turns sums into codes: there is no product of 16 bits between.
      if (l.stages.size() > 1) d.inner_step = std::max(d.inner_step, std::abs(l.last_factor(k)));
    }
    out.push_back(std::move(d));
  }
  return out;
}

NpuCause cause_of(const NpuDrift& d, std::size_t k, std::int64_t reference, std::int64_t exact,
                  std::int64_t simulated) {
  if (simulated == reference) return NpuCause::none;
  const double e = 1 + d.multiplier_error[k];
  // The reals that the program's constants turn into `exact`, under the model's multiplier.
  const auto back = [&](double code) { return (code - d.offset[k]) / e + d.offset[k]; };
  const double slack = d.reference_rounding[k] + 0.01;  // scales are float32 values
  const bool low = exact == -128, high = exact == 127;
  // Sums that cross memory are cut to 16 bits even there.
  const double cut =
      d.constant_error[k] + (d.codes_epoch != d.epoch ? std::max(d.step[k], d.inner_step) : 0);
  const double near =
      std::min(back(static_cast<double>(exact) - 0.5), back(static_cast<double>(exact) + 0.5)) -
      cut;
  const double far =
      std::max(back(static_cast<double>(exact) - 0.5), back(static_cast<double>(exact) + 0.5)) +
      cut;
  const auto r = static_cast<double>(reference);
  const bool constants = (low || reference == 127 ? true : r >= near - slack) &&
                         (high || reference == -128 ? true : r <= far + slack) &&
                         !(reference == 127 && far + slack < 127) &&
                         !(reference == -128 && near - slack > -128);
  const double moved = std::abs(static_cast<double>(simulated - exact)),
               most = 1 + d.data_path(k) + cut;
  const bool path = moved <= most;
  const double held = static_cast<double>(simulated);
  const bool stopped =
      k < d.highest.size() && ((r > held && std::abs(held - d.highest[k]) <= most) ||
                               (r < held && std::abs(held - d.lowest[k]) <= most));
  if (!constants || !path) return stopped ? NpuCause::saturation : NpuCause::unexplained;
  const double by_constants = std::abs(static_cast<double>(exact - reference));
  if (std::abs(static_cast<double>(simulated - reference)) <= 1 && by_constants <= 1 && moved <= 1)
    return NpuCause::rounding;
  return by_constants >= moved ? NpuCause::multiplier : NpuCause::sums;
}

}  // namespace lockstep
