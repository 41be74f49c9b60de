// a' = b, b' = a: two network inputs of one shape are fed into each other's place.
#include <algorithm>
#include <cstring>

#include "fault/fault_input.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"other",
                                 "the input that stands in this one's place and this one in its, "
                                 "by its number in the graph; -1: the next of the same shape",
                                 -1}};

// Inputs of the same type and shape: those behind this one first, then from the first on.
std::vector<ValueId> partners(const Site& site) {
  const Graph& g = site.graph();
  const Value& own = g.value(site.input);
  std::vector<ValueId> before, after;
  bool passed = false;
  for (const ValueId id : g.inputs()) {
    if (id == site.input)
      passed = true;
    else if (g.value(id).dtype == own.dtype && g.value(id).shape == own.shape)
      (passed ? after : before).push_back(id);
  }
  after.insert(after.end(), before.begin(), before.end());
  return after;
}

bool applies(const Site& site) {
  return site.input != no_id && !partners(site).empty();
}

std::vector<ValueId> reads(const Site& site, const Params& p) {
  const auto ids = partners(site);
  const double wish = param(params, p, "other");
  if (wish < 0) return {ids[0]};
  const auto id = static_cast<ValueId>(wish);
  return std::ranges::count(ids, id) > 0 ? std::vector<ValueId>{id} : std::vector<ValueId>{};
}

// The pair is one place: it is sought at its first input, unless the second is what was seen.
std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  constexpr std::size_t most = 4;
  const bool observed =
      std::ranges::any_of(evidence.items, [](const Evidence::Item& i) { return i.observed; });
  const auto& inputs = site.graph().inputs();
  std::vector<Params> sets;
  const auto ids = partners(site);
  for (const ValueId id : ids) {
    const bool behind = std::ranges::find(inputs, id) > std::ranges::find(inputs, site.input);
    if ((!behind && !observed) || sets.size() == most) continue;
    sets.push_back(id == ids[0] ? Params{} : Params{{"other", static_cast<double>(id)}});
  }
  return sets;
}

Result<void> replay(Replay& r) {
  const auto ids = reads(r.site, r.params);
  const Tensor* other = ids.empty() || !r.find ? nullptr : r.find(ids[0]);
  if (!other || other->bytes().size() != r.out[0].bytes().size())
    return Error{"fault inputs-exchanged", "the other input is not at hand, or of another shape",
                 "an input of the same shape", ""};
  std::memcpy(r.out[0].bytes().data(), other->bytes().data(), other->bytes().size());
  return {};
}

}  // namespace

extern constinit const FaultDef fault_inputs_exchanged = {
    .name = "inputs-exchanged",
    .claim = "{@} and {other} are fed into each other's place",
    .advice =
        "match inputs by the names that the target reports, not by their order: the compiler may "
        "list them otherwise than the model\n"
        "feed one input with zeros and see which of the two the device misses",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .reads = reads,
};

}  // namespace lockstep
