// y' = op(x, the weights of another node of equal size): parts of two builds, or two tables, are
// mixed.
#include <algorithm>
#include <cstring>

#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"other", "the constant that is read, by its number in the graph; -1: the next of equal size",
     -1}};

std::vector<ValueId> others(const Site& site) {
  const Graph& g = site.graph();
  const ValueId own = site.view().node.inputs[kWeights];
  std::vector<ValueId> ids;
  for (std::size_t i = 1; i < g.values().size(); ++i) {
    const auto id = static_cast<ValueId>((static_cast<std::size_t>(own) + i) % g.values().size());
    const Value& v = g.value(id);
    if (v.constant && v.dtype == g.value(own).dtype &&
        count_of(v.shape) == count_of(g.value(own).shape) &&
        !(*v.constant == *g.value(own).constant))
      ids.push_back(id);
  }
  return ids;
}

bool applies(const Site& site) {
  return has_weights(site) && !others(site).empty();
}

Result<void> replay(Replay& r) {
  const auto ids = others(r.site);
  const double wish = param(params, r.params, "other");
  const ValueId id = wish < 0 ? ids[0] : static_cast<ValueId>(wish);
  if (std::ranges::find(ids, id) == ids.end())
    return Error{"fault weights-of-another", "constant " + std::to_string(id),
                 "one of equal type and size", ""};
  ChangedNode node(r);
  const Tensor& other = *r.site.graph().value(id).constant;
  Tensor& w = node.changed(kWeights);
  std::memcpy(w.bytes().data(), other.bytes().data(), w.bytes().size());
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  constexpr std::size_t kMost = 24;
  std::vector<Params> sets;
  for (const ValueId id : others(site))
    if (sets.size() < kMost) sets.push_back({{"other", id}});
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_weights_of_another = {
    .name = "weights-of-another",
    .claim = "the node computes with the weights of {other?-1:another constant|:constant {other}}",
    .advice =
        "program, weights and runtime must come from one compilation: regenerate, clean, flash all "
        "of them\n"
        "print the version stamps of each at boot",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
