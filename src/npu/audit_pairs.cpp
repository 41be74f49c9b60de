// Which layer of the model each layer of the program computes
#include <algorithm>

#include "npu/audit.h"

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
    if (pairs[p].model || pairs[p].piece_of) continue;
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

constexpr std::size_t none = static_cast<std::size_t>(-1);

struct Pairing {
  const std::vector<NpuLayer>& layers;
  const std::vector<ModelLayer>& model;
  std::vector<std::size_t> hints, chosen;  // of the model, by layer of the program
  std::vector<bool> used;

  void take(std::size_t p, std::size_t m) { chosen[p] = m, used[m] = true; }

  // The same weights: where the codes go decides between several, else the order of the file.
  void by_weights() {
    for (std::size_t p = 0; p < layers.size(); ++p)
      if (hints[p] != none && !used[hints[p]] && same_kernels(layers[p], model[hints[p]]))
        take(p, hints[p]);
    for (std::size_t p = 0; p < layers.size(); ++p)
      for (std::size_t m = 0; m < model.size() && chosen[p] == none; ++m)
        if (!used[m] && same_kernels(layers[p], model[m])) take(p, m);
  }
  // Other weights than any layer's: the layer whose tensor it makes.
  void by_output() {
    for (std::size_t p = 0; p < layers.size(); ++p)
      if (chosen[p] == none && hints[p] != none && !used[hints[p]] &&
          may_be(layers[p], model[hints[p]]))
        take(p, hints[p]);
  }
  // Most of the weights, else the first between the neighbours that were found.
  void by_order(std::size_t p) {
    std::size_t low = 0, high = model.size(), best = none, most = 0;
    for (std::size_t q = 0; q < p; ++q)
      if (chosen[q] != none) low = std::max(low, chosen[q] + 1);
    for (std::size_t q = p + 1; q < layers.size(); ++q)
      if (chosen[q] != none) high = std::min(high, chosen[q]);
    for (std::size_t m = 0; m < model.size(); ++m)
      if (!used[m] && may_be(layers[p], model[m]))
        if (const std::size_t n = equal_kernels(layers[p], model[m]); n > most) most = n, best = m;
    for (std::size_t m = low; m < high && best == none; ++m)
      if (!used[m] && may_be(layers[p], model[m])) best = m;
    if (best != none) take(p, best);
  }
};

}  // namespace

std::vector<std::string> npu_layer_outputs(const NpuSimulator& sim,
                                           const std::vector<NpuLayer>& layers,
                                           const NpuMapping& mapping) {
  std::vector<std::string> outputs;
  for (const NpuLayer& l : layers) {
    std::string& name = outputs.emplace_back();
    const auto form = std::ranges::find_if(
        sim.epochs(), [&](const NpuEpochForm& f) { return f.epoch->number == l.codes_epoch; });
    if (l.stages.empty() || form == sim.epochs().end()) continue;
    NpuUnitId at = l.stages.back().id;
    for (int hops = 0; hops < 4 && name.empty(); ++hops) {
      const auto next = std::ranges::find_if(
          form->links, [&](const auto& link) { return link.second.from[0].source.unit == at; });
      if (next == form->links.end()) break;
      at = next->first.unit;
      const auto* a = form->find<NpuArith>(at);
      if (a && a->dualinput != 0) break;
      const auto* s = form->find<NpuStream>(at);
      const NpuUnit* u = s ? form->raw(at) : nullptr;
      const NpuBuffer* b = u ? buffer_of(sim.program(), *u, *s, l.codes_epoch + 1) : nullptr;
      if (const NpuPair* pair = b ? mapping.find(b->name) : nullptr) name = pair->value;
    }
  }
  return outputs;
}

std::vector<NpuLayerPair> pair_layers(const std::vector<NpuLayer>& layers,
                                      const std::vector<ModelLayer>& model,
                                      std::span<const std::string> outputs) {
  Pairing pairing{layers,
                  model,
                  {},
                  std::vector<std::size_t>(layers.size(), none),
                  std::vector<bool>(model.size(), false)};
  for (std::size_t p = 0; p < layers.size(); ++p) {
    const auto it = p < outputs.size() && !outputs[p].empty()
                        ? std::ranges::find(model, outputs[p], &ModelLayer::output)
                        : model.end();
    pairing.hints.push_back(it == model.end() ? none
                                              : static_cast<std::size_t>(it - model.begin()));
  }
  pairing.by_weights();
  pairing.by_output();
  std::vector<NpuLayerPair> pairs;
  for (std::size_t p = 0; p < layers.size(); ++p)
    if (pairing.chosen[p] == none) pairing.by_order(p);
  for (std::size_t p = 0; p < layers.size(); ++p)
    pairs.push_back(
        {&layers[p], pairing.chosen[p] == none ? nullptr : &model[pairing.chosen[p]], nullptr});
  for (NpuLayerPair& p : pairs)
    for (const NpuLayerPair& q : pairs)
      if (p.layer->continued && !p.model && q.model && q.layer->node == p.layer->node &&
          std::ranges::count(q.layer->part_epochs, p.layer->epoch) > 0)
        p.piece_of = q.model;
  name_pieces(pairs, model, pairing.used);
  return pairs;
}

}  // namespace lockstep
