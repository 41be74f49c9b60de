// y' = op with the scale and zero point of another tensor for its result: a table of parameters is
// off by an entry.
#include <algorithm>
#include <cstdlib>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"other",
     "the tensor whose scale is used, by its number in the graph; -1: the next with another one",
     -1}};

// Tensors in codes of the same type with another scale, nearest in number first, each scale once.
std::vector<ValueId> others(const Site& site) {
  const Graph& g = site.graph();
  const ValueId own = site.view().node.outputs[0];
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < g.values().size(); ++i) {
    const Value& v = g.values()[i];
    if (!v.constant && is_coded(v) && v.dtype == g.value(own).dtype && !v.quant.per_channel() &&
        v.quant != g.value(own).quant)
      ids.push_back(static_cast<ValueId>(i));
  }
  std::ranges::stable_sort(
      ids, [&](ValueId a, ValueId b) { return std::abs(a - own) < std::abs(b - own); });
  std::vector<ValueId> once;
  for (const ValueId id : ids)
    if (std::ranges::none_of(once,
                             [&](ValueId o) { return g.value(o).quant == g.value(id).quant; }))
      once.push_back(id);
  return once;
}

bool applies(const Site& site) {
  if (!is_coded_sum(site) && !is_coded_add(site)) return false;
  return !site.view().output(0).quant.per_channel() && !others(site).empty();
}

Result<void> replay(Replay& r) {
  const double wish = param(params, r.params, "other");
  const auto ids = others(r.site);
  const auto id = wish < 0 ? ids[0] : static_cast<ValueId>(wish);
  const Graph& g = r.site.graph();
  if (id < 0 || static_cast<std::size_t>(id) >= g.values().size() || !is_coded(g.value(id)) ||
      g.value(id).quant.per_channel())
    return Error{"fault scales-of-another", "tensor " + std::to_string(id),
                 "a tensor in codes with one scale", ""};
  ChangedNode node(r);
  node.output().quant = g.value(id).quant;
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  constexpr std::size_t kMost = 16;
  std::vector<Params> sets;
  for (const ValueId id : others(site))
    if (sets.size() < kMost) sets.push_back({{"other", id}});
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_scales_of_another = {
    .name = "scales-of-another",
    .claim =
        "the result is quantized with the scale and zero point of {other?-1:another "
        "tensor|:tensor {other}}",
    .advice =
        "program, weights and parameters must come from one compilation: regenerate, clean, flash "
        "all of them\n"
        "print the version stamps of each at boot",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
