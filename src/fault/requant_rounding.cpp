// y' = the exact result, rounded by another rule: half up, half away, half to even, or twice.
#include "fault/fault_nodes.h"
#include "fault/fault_rounding.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"mode",
     "once, ties 0: up, 1: away from zero, 2: to even; 3: twice, at 31 bits and at the code", 0,
     Takes::up_to(3)}};

bool applies(const Site& site) {
  return is_rounded(site);
}

Result<void> replay(Replay& r) {
  constexpr Rounding kModes[] = {Rounding::half_up, Rounding::half_away, Rounding::half_even,
                                 Rounding::twice};
  const double mode = param(params, r.params, "mode");
  if (mode != 0 && mode != 1 && mode != 2 && mode != 3)
    return Error{"fault requant-rounding", "mode " + std::to_string(mode), "0, 1, 2 or 3", ""};
  ChangedNode node(r);
  round_by(node, kModes[static_cast<std::size_t>(mode)]);
  return node.eval_into(r);
}

// Rounding moves a code by one at most.
bool within_one(const Evidence& evidence) {
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected || item.observed->count() != item.expected->count())
      continue;
    for (std::int64_t i = 0; i < item.observed->count(); ++i) {
      const std::int64_t d = item.observed->code(i) - item.expected->code(i);
      if (d < -1 || d > 1) return false;
    }
  }
  return true;
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  if (!within_one(evidence)) return {};
  return best_sets(site, evidence, {{{"mode", 0}}, {{"mode", 1}}, {{"mode", 2}}, {{"mode", 3}}},
                   replay);
}

}  // namespace

extern constinit const FaultDef fault_requant_rounding = {
    .name = "requant-rounding",
    .claim =
        "results are rounded {mode?0:with ties up|1:with ties away from zero|2:with ties to "
        "even|3:twice}, which is not the reference's rule",
    .advice =
        "one step of difference at ties is what runtimes differ by: judge by the final decision\n"
        "act only where an amplifier follows (reciprocal root, exponential, comparison of equal "
        "scores)",
    .stage = Stage::node,
    .scope = Scope::every_node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
