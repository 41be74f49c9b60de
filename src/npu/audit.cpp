#include "npu/audit.h"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "npu/audit_named.h"
#include "npu/stated_layers.h"

namespace lockstep {
std::string_view name_of(NpuSeverity s) {
  return s == NpuSeverity::error ? "error" : s == NpuSeverity::warning ? "warning" : "note";
}

namespace {

std::vector<NpuLayerPair> pair_stated(const std::vector<NpuLayer>& layers,
                                      const std::vector<ModelLayer>& stated) {
  std::vector<NpuLayerPair> pairs;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (stated[i].out_channels > 0) pairs.push_back({&layers[i], &stated[i], nullptr});
  return pairs;
}

}  // namespace

Result<std::vector<NpuFinding>> audit_npu(const NpuSimulator& simulator, const Graph* model,
                                          const NpuNames& names) {
  std::vector<NpuFinding> found;
  std::vector<NpuBrokenLayer> broken;
  LOCKSTEP_TRY(const std::vector<NpuLayer> layers, npu_layers(simulator, &broken));
  if (broken.size() > 2) return broken.front().why;  // the weights of another network, or a part
  for (const NpuBrokenLayer& b : broken)
    found.push_back({"cannot-run", NpuSeverity::error, b.epoch, b.node,
                     b.why.what + "; want " + b.why.want, "the layer cannot compute what is meant",
                     "an address, a size or a count of this layer is wrong: recompile", 255});
  const std::vector<ModelLayer> wanted =
      model ? model_layers(*model) : stated_layers(simulator, layers);
  std::vector<std::string> outputs;
  const NpuMapping mapping =
      model ? map_npu_buffers(simulator.program(), *model, names) : NpuMapping();
  if (model) outputs = npu_layer_outputs(simulator, layers, mapping);
  const std::vector<NpuLayerPair> pairs =
      model ? pair_layers(layers, wanted, outputs) : pair_stated(layers, wanted);
  audit_layers(pairs, found);
  audit_windows(simulator, pairs, found);
  LOCKSTEP_CHECK(audit_operands(simulator, pairs, found));
  const NpuProvenance provenance = npu_provenance(simulator);
  if (model) audit_flow(simulator, provenance.makings, *model, mapping, found);
  audit_reads(simulator, provenance, layers, found);
  audit_flags(simulator, found);
  audit_memory(simulator, found);
  audit_moves(simulator, found);
  audit_cache(simulator, found);
  audit_cpu(simulator, wanted, mapping, found);
  audit_run(simulator, found);
  audit_schedule(simulator, layers, found);
  std::ranges::stable_sort(found, [](const NpuFinding& a, const NpuFinding& b) {
    return a.severity != b.severity ? a.severity > b.severity : a.epoch < b.epoch;
  });
  return found;
}

Result<std::vector<NpuFinding>> audit_npu(const NpuSimulator& simulator, const Graph* model) {
  return audit_npu(simulator, model, {});
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
