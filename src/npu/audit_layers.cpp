// m[k] = 2^-s0 * A[k] * 2^-s1 * As * 2^-sh against x_scale * w_scale[k] / y_scale; constant against
// bias[k] * m[k] + zero
#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "npu/audit.h"
#include "num/npu_rules.h"

namespace lockstep {
namespace {

std::string place(const NpuLayerPair& p) {
  return p.model ? p.layer->node + " (" + p.model->node + ")" : p.layer->node;
}

// What the multipliers of one layer look like against the model's scales.
struct Multipliers {
  std::size_t wrong = 0, coarse = 0, worst = 0, worst_coarse = 0;
  double coarse_error = 0;
  double reach = 0, coarse_reach = 0;  // codes that it can move, by the largest sums of the kernels
};

// What one step of the 16-bit multiplier of channel k is worth; that of the largest channel where
// its own is 0.
double step_of(const NpuLayer& l, std::size_t k) {
  const std::vector<std::int64_t>& all = l.stages.front().coefficient;
  const auto size = [](std::int64_t v) { return std::abs(v); };
  if (all.size() > 1 && all[k] == 0)
    k = static_cast<std::size_t>(std::ranges::max_element(all, {}, size) - all.begin());
  const auto a = static_cast<double>(all[all.size() == 1 ? 0 : k]);
  return a == 0 ? 0 : l.multiplier(k) / a;
}

Multipliers examine(const NpuLayer& l, const ModelLayer& m) {
  Multipliers r;
  const NpuStage& first = l.stages.front();
  for (std::size_t k = 0; k < static_cast<std::size_t>(m.out_channels); ++k) {
    const double want = m.multiplier(k), got = l.multiplier(k), error = std::abs(got / want - 1);
    const auto a = static_cast<double>(first.coefficient[first.coefficient.size() == 1 ? 0 : k]);
    const double step = step_of(l, k), ideal = step != 0 ? want / step : 0;
    // One step of the 16-bit multiplier, and 2^-14 of the common scale, are what the form allows.
    const bool allowed = step != 0 && std::abs(a - ideal) <= 1.0 + std::abs(ideal) * 2e-4;
    const double reach =
        std::min(255.0, 255 * std::abs(got - want) * static_cast<double>(m.kernel_worst[k]));
    if (!allowed) {
      ++r.wrong;
      if (reach > r.reach || r.wrong == 1) r.worst = k;
      r.reach = std::max(r.reach, reach);
    } else if (error > 0.01) {
      ++r.coarse;
      if (error > r.coarse_error) r.coarse_error = error, r.worst_coarse = k;
      r.coarse_reach = std::max(r.coarse_reach, reach);
    }
  }
  return r;
}

// The epoch to blame: that of the sums when their shift alone would set every channel right.
int blamed(const NpuLayer& l, const ModelLayer& m) {
  std::int64_t largest = 0;
  for (const std::int64_t s : m.kernel_sum) largest = std::max(largest, std::abs(s));
  const int rule = npu_conv_shift(static_cast<double>(largest));
  if (rule == l.shift) return l.codes_epoch;
  for (std::size_t k = 0; k < static_cast<std::size_t>(m.out_channels); ++k) {
    const double want = m.multiplier(k), step = std::abs(step_of(l, k)),
                 got = std::ldexp(l.multiplier(k), l.shift - rule);
    if (std::abs(got - want) > std::ldexp(step, l.shift - rule) + want * 2e-4) return l.codes_epoch;
  }
  return l.epoch;
}

void check_multipliers(const NpuLayerPair& p, std::vector<NpuFinding>& found) {
  const NpuLayer& l = *p.layer;
  const ModelLayer& m = *p.model;
  const Multipliers r = examine(l, m);
  // Channels that no sum can carry half a code away from the model's are no mistake.
  if (r.wrong > 0)
    found.push_back(
        {"multiplier-wrong", r.reach < 0.5 ? NpuSeverity::note : NpuSeverity::error, blamed(l, m),
         place(p),
         fmt::format("{} of {} channels; worst channel {}: {:.6g}, the model says {:.6g}", r.wrong,
                     m.out_channels, r.worst, l.multiplier(r.worst), m.multiplier(r.worst)),
         fmt::format("codes off by up to {:.0f} LSB", r.reach),
         "a shift or a coefficient is not what these scales need: recompile, and report the "
         "compiler's release",
         r.reach});
  if (r.coarse > 0)
    found.push_back(
        {"multiplier-lost-bits", r.coarse_reach > 0.5 ? NpuSeverity::warning : NpuSeverity::note,
         l.codes_epoch, place(p),
         fmt::format("{} of {} channels more than 1 % off, worst channel {}: {:.1f} % (its "
                     "coefficient is {})",
                     r.coarse, m.out_channels, r.worst_coarse, 100 * r.coarse_error,
                     l.stages.front().coefficient.size() == 1
                         ? l.stages.front().coefficient[0]
                         : l.stages.front().coefficient[r.worst_coarse]),
         r.coarse_reach > 0.5
             ? fmt::format("up to {:.0f} LSB where a channel uses its range", r.coarse_reach)
             : "less than half an LSB: these channels hardly reach the output",
         "clamp the smallest weight scales of this layer to 1/1000 of the largest before "
         "quantizing",
         r.coarse_reach});
}

void check_constants(const NpuLayerPair& p, std::vector<NpuFinding>& found) {
  const NpuLayer& l = *p.layer;
  const ModelLayer& m = *p.model;
  double worst = 0;
  std::size_t at = 0, count = 0;
  for (std::size_t k = 0; k < static_cast<std::size_t>(m.out_channels); ++k) {
    const double want =
        (m.bias.empty() ? 0 : m.bias[k] * m.multiplier(k)) + static_cast<double>(m.y_zero);
    const double off = std::abs(l.offset(k) - want);
    count += off > 0.05;
    if (off > worst) worst = off, at = k;
  }
  if (count > 0)
    found.push_back(
        {"constant-wrong", NpuSeverity::error, l.codes_epoch, place(p),
         fmt::format("bias and zero point of {} of {} channels; worst channel {}: {:.3f} LSB off",
                     count, m.out_channels, at, worst),
         fmt::format("codes off by {:.1f} LSB", worst),
         "a bias or a zero point is lost or scaled wrongly: recompile, and report the compiler's "
         "release",
         worst});
}

// Without the model the biases are not known, yet each is a whole number of accumulator units:
// constant = bias[k] * m[k] + zero. Asked where the constant's own bits can tell.
void check_whole_biases(const NpuLayerPair& p, std::vector<NpuFinding>& found) {
  const NpuLayer& l = *p.layer;
  const ModelLayer& m = *p.model;
  const bool streamed = std::ranges::any_of(
      l.stages, [](const NpuStage& s) { return s.arith->dualinput != 0; });  // biases of 16 bits
  if (!m.zero_known || streamed) return;
  std::size_t asked = 0, broken = 0;
  for (std::size_t k = 0; k < static_cast<std::size_t>(m.out_channels); ++k) {
    const double factor = l.multiplier(k), added = l.offset(k) - static_cast<double>(m.y_zero),
                 units = added / m.multiplier(k), bits = std::ldexp(1.0, -19) / std::abs(factor);
    if (factor == 0 || bits > 0.05 || std::abs(units) > 1e5) continue;
    ++asked;
    broken += std::abs(std::remainder(units, 1.0)) > 0.1 + bits + 1e-6 * std::abs(units);
  }
  if (asked >= 4 && 2 * broken > asked)
    found.push_back(
        {"constant-wrong", NpuSeverity::error, l.codes_epoch, place(p),
         fmt::format("bias and zero point of {} of {} channels are no whole number of accumulator "
                     "units beside the zero point {}",
                     broken, asked, m.y_zero),
         "codes off by a constant",
         "a bias or a zero point is lost or scaled wrongly: audit with --model for the figure", 1});
}

void check_shift(const NpuLayerPair& p, std::vector<NpuFinding>& found) {
  const NpuLayer& l = *p.layer;
  const ModelLayer& m = *p.model;
  std::int64_t largest = 0, worst = 0;
  for (std::size_t k = 0; k < m.kernel_sum.size(); ++k)
    largest = std::max(largest, std::abs(m.kernel_sum[k])),
    worst = std::max(worst, m.kernel_worst[k]);
  if (const int rule = npu_conv_shift(static_cast<double>(largest)); rule != l.shift)
    found.push_back({"shift-off-rule", NpuSeverity::note, l.epoch, place(p),
                     fmt::format("sums shifted by {}, the compiler's rule gives {}", l.shift, rule),
                     l.shift > rule
                         ? fmt::format("{} bits of the 16-bit sum are given away", l.shift - rule)
                         : "sums may saturate at 16 bits",
                     "", 0});
  const double limit = std::ldexp(32767.0, l.shift), most = 255.0 * static_cast<double>(worst);
  if (most > limit)
    found.push_back(
        {"sum-can-saturate", NpuSeverity::note, l.epoch, place(p),
         fmt::format("weights of one sign reach {:.3g}, 16 bits hold {:.3g}", most, limit),
         "only inputs that follow the signs of a kernel get there",
         "compare largest sums on real inputs: lockstep npu run", 0});
  double step = 0, noise = 0;
  std::size_t at = 0, many = 0;
  for (std::size_t k = 0; k < static_cast<std::size_t>(m.out_channels); ++k) {
    const double s = std::ldexp(m.multiplier(k), l.shift);
    many += s > 0.5;
    if (s > step) step = s, at = k;
  }
  noise = step * std::sqrt(static_cast<double>(l.passes) / 12);
  if (step > 0.5)
    found.push_back(
        {"coarse-step", NpuSeverity::warning, l.epoch, place(p),
         fmt::format("one step of the 16-bit sum is {:.2f} LSB in channel {}; over 0.5 in {} of {} "
                     "channels",
                     step, at, many, m.out_channels),
         fmt::format("up to {:.1f} LSB, {:.2f} LSB RMS over {} pass{}", step * (0.5 * l.passes),
                     noise, l.passes, l.passes == 1 ? "" : "es"),
         l.passes > 1 ? "fewer input channels, or two layers in parallel added later; or run this "
                        "layer on the CPU"
                      : "a smaller range of weight scales in this layer",
         step});
}

void check_weights(const NpuLayerPair& p, std::vector<NpuFinding>& found) {
  const NpuLayer& l = *p.layer;
  const ModelLayer& m = *p.model;
  std::size_t differ = 0;
  const auto n = static_cast<std::size_t>(m.out_channels);
  for (std::size_t k = 0; k < l.channels(); ++k)
    differ +=
        l.kernel_sum[k] != m.kernel_sum[k % n] || l.kernel_squares[k] != m.kernel_squares[k % n];
  if (differ > 0)
    found.push_back({"weights-differ", NpuSeverity::error, l.epoch, place(p),
                     fmt::format("{} of {} kernels are not the model's", differ, l.channels()),
                     "the layer computes with other weights",
                     "the weights file, its place or the program is of another build: flash all of "
                     "one compilation",
                     255});
}

}  // namespace

void audit_layers(const std::vector<NpuLayerPair>& pairs, std::vector<NpuFinding>& found) {
  for (const NpuLayerPair& p : pairs) {
    const NpuLayer& l = *p.layer;
    if (p.piece_of) continue;  // of a cut kernel: checked with the last piece
    if (!p.model) {
      found.push_back({"layer-unknown", NpuSeverity::note, l.epoch, l.node,
                       fmt::format("{} kernels without a layer of the model", l.channels()), "",
                       "its constants are not checked", 0});
      continue;
    }
    const bool stated = !p.model->bias_known;  // the program's own tables, not the model
    if (!stated) check_weights(p, found);
    const auto n = static_cast<std::size_t>(p.model->out_channels);
    const bool complete = !l.stages.empty() && l.stages.back().ends_in_codes() &&
                          std::ranges::all_of(l.stages, [&](const NpuStage& s) {
                            return s.factor.size() == 1 || s.factor.size() == n;
                          });
    if (!complete) {
      found.push_back({"layer-unknown", NpuSeverity::note, l.epoch, place(p),
                       "no chain of constants from its sums to codes", "",
                       "its constants are not checked", 0});
      continue;
    }
    check_multipliers(p, found);
    stated ? check_whole_biases(p, found) : check_constants(p, found);
    if (!stated) check_shift(p, found);
  }
}

}  // namespace lockstep
