#include "npu/audit.h"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

namespace lockstep {
namespace {

std::size_t equal_kernels(const NpuLayer& l, const ModelLayer& m) {
  const auto n = static_cast<std::size_t>(m.out_channels);
  std::size_t equal = 0;
  for (std::size_t k = 0; k < l.channels(); ++k)
    equal +=
        l.kernel_sum[k] == m.kernel_sum[k % n] && l.kernel_squares[k] == m.kernel_squares[k % n];
  return equal;
}

bool same_kernels(const NpuLayer& l, const ModelLayer& m) {
  const auto n = static_cast<std::size_t>(m.out_channels);
  if (l.channels() < n || l.channels() % n != 0) return false;
  for (std::size_t k = 0; k < l.channels(); ++k)
    if (l.kernel_sum[k] != m.kernel_sum[k % n] || l.kernel_squares[k] != m.kernel_squares[k % n])
      return false;
  return true;
}

// Enough weights in each channel for the whole kernel: pieces of a cut kernel have fewer.
bool may_be(const NpuLayer& l, const ModelLayer& m) {
  const auto n = static_cast<std::size_t>(m.out_channels);
  if (l.channels() < n || l.channels() % n != 0) return false;
  for (std::size_t k = 0; k < l.channels(); ++k)
    if (l.kernel_size[k] < m.kernel_size[k % n]) return false;
  return true;
}

// Layers with fewer weights than any whole kernel between their neighbours: pieces of the one layer
// of the model that nothing else computes there.
void name_pieces(std::vector<NpuLayerPair>& pairs, const std::vector<ModelLayer>& model,
                 const std::vector<bool>& used) {
  const auto index = [&](const NpuLayerPair& p) {
    return static_cast<std::size_t>(p.model - model.data());
  };
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    if (pairs[p].model) continue;
    std::size_t low = 0, high = model.size();
    for (std::size_t q = 0; q < p; ++q)
      if (pairs[q].model) low = std::max(low, index(pairs[q]) + 1);
    for (std::size_t q = p + 1; q < pairs.size(); ++q)
      if (pairs[q].model) high = std::min(high, index(pairs[q]));
    std::vector<const ModelLayer*> open;
    for (std::size_t i = low; i < high; ++i)
      if (!used[i]) open.push_back(&model[i]);
    if (open.size() == 1) pairs[p].piece_of = open[0];
  }
}

}  // namespace

std::string_view name_of(NpuSeverity s) {
  return s == NpuSeverity::error ? "error" : s == NpuSeverity::warning ? "warning" : "note";
}

// By the weights themselves; what is left by most of them, else in order, between the neighbours
// that were found.
std::vector<NpuLayerPair> pair_layers(const std::vector<NpuLayer>& layers,
                                      const std::vector<ModelLayer>& model) {
  std::vector<NpuLayerPair> pairs;
  std::vector<bool> used(model.size(), false);
  for (const NpuLayer& l : layers) {
    const ModelLayer* found = nullptr;
    for (std::size_t i = 0; i < model.size() && !found; ++i)
      if (!used[i] && same_kernels(l, model[i])) found = &model[i], used[i] = true;
    pairs.push_back({&l, found, nullptr});
  }
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    if (pairs[p].model) continue;
    std::size_t low = 0, high = model.size();
    for (std::size_t q = 0; q < p; ++q)
      if (pairs[q].model)
        low =
            std::max<std::size_t>(low, static_cast<std::size_t>(pairs[q].model - model.data()) + 1);
    for (std::size_t q = pairs.size(); q-- > p + 1;)
      if (pairs[q].model)
        high = std::min<std::size_t>(high, static_cast<std::size_t>(pairs[q].model - model.data()));
    std::size_t best = model.size(), most = 0;
    for (std::size_t i = 0; i < model.size(); ++i)
      if (!used[i] && may_be(*pairs[p].layer, model[i]))
        if (const std::size_t n = equal_kernels(*pairs[p].layer, model[i]); n > most)
          most = n, best = i;
    for (std::size_t i = low; i < high && best == model.size(); ++i)
      if (!used[i] && may_be(*pairs[p].layer, model[i])) best = i;
    if (best < model.size()) pairs[p].model = &model[best], used[best] = true;
  }
  name_pieces(pairs, model, used);
  return pairs;
}

Result<std::vector<NpuFinding>> audit_npu(const NpuSimulator& simulator, const Graph* model) {
  std::vector<NpuFinding> found;
  LOCKSTEP_TRY(const std::vector<NpuLayer> layers, npu_layers(simulator));
  const std::vector<ModelLayer> wanted = model ? model_layers(*model) : std::vector<ModelLayer>();
  const std::vector<NpuLayerPair> pairs = pair_layers(layers, wanted);
  if (model) {
    audit_layers(pairs, found);
    audit_windows(simulator, pairs, found);
    LOCKSTEP_CHECK(audit_operands(simulator, pairs, found));
  }
  audit_memory(simulator, found);
  audit_cache(simulator, found);
  audit_schedule(simulator, layers, found);
  std::ranges::stable_sort(found, [](const NpuFinding& a, const NpuFinding& b) {
    return a.severity != b.severity ? a.severity > b.severity : a.epoch < b.epoch;
  });
  return found;
}

Result<std::vector<NpuFinding>> compare_npu(const NpuSimulator& a, const NpuSimulator& b) {
  std::vector<NpuFinding> found;
  LOCKSTEP_TRY(const auto one, npu_layers(a));
  LOCKSTEP_TRY(const auto two, npu_layers(b));
  const auto report = [&](const NpuLayer& l, std::string what, double lsb) {
    found.push_back({"compilations-differ", NpuSeverity::warning, l.epoch, l.node, std::move(what),
                     found.empty() ? "the first departure" : "a further departure",
                     "compare both with the model (--model)", lsb});
  };
  if (a.program().compiler != b.program().compiler)
    found.push_back({"compilations-differ", NpuSeverity::note, 0, "compiler",
                     a.program().compiler + " and " + b.program().compiler, "", "", 0});
  for (const NpuLayer& l : one) {
    const auto it = std::ranges::find(two, l.node, &NpuLayer::node);
    if (it == two.end()) {
      report(l, "in the first program only", 0);
      continue;
    }
    if (l.kernel_sum != it->kernel_sum || l.kernel_squares != it->kernel_squares)
      report(l, "other weights", 0);
    if (l.shift != it->shift) report(l, fmt::format("shift {} and {}", l.shift, it->shift), 0);
    if (l.passes != it->passes)
      report(l, fmt::format("{} and {} accumulation passes", l.passes, it->passes), 0);
    double worst = 0, off = 0;
    std::size_t channels = std::min(l.channels(), it->channels());
    for (const auto* x : {&l, &*it})
      for (const NpuStage& s : x->stages)
        if (s.factor.size() > 1) channels = std::min(channels, s.factor.size());
    for (std::size_t k = 0; k < channels; ++k) {
      worst = std::max(worst, std::abs(l.multiplier(k) / it->multiplier(k) - 1));
      off = std::max(off, std::abs(l.offset(k) - it->offset(k)));
    }
    if (worst > 1e-4)
      report(l, fmt::format("multipliers apart by up to {:.2g} %", 100 * worst), 127 * worst);
    if (off > 0.02) report(l, fmt::format("constants apart by up to {:.3f} LSB", off), off);
  }
  for (const NpuLayer& l : two)
    if (std::ranges::find(one, l.node, &NpuLayer::node) == one.end())
      report(l, "in the second program only", 0);
  return found;
}

}  // namespace lockstep
