// y' = x where x >= 0, else alpha' x: the slope of a leaky ReLU is 0, 1 or another.
#include <array>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"
#include "fault/fault_search.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"alpha", "the slope below 0 that the device uses", 0, Takes::real()}};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.op == "LeakyRelu";
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  node.attrs().set("alpha", param(params, r.params, "alpha"));
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence,
                   {{{"alpha", 0}},
                    {{"alpha", 1}},
                    {{"alpha", 0.01}},
                    {{"alpha", 0.1}},
                    {{"alpha", 0.2}},
                    {{"alpha", 0.3}}},
                   replay, 1);
}

std::vector<Params> fit(const Site&, const Evidence&, const Misfit& misfit) {
  const auto found = least_misfit(
      [&](double alpha) {
        return misfit({{"alpha", alpha}});
      },
      by_factors(0.005, 2, 20));
  constexpr std::array wishes = {0.01, 0.1, 0.2, 0.3, 0.125, 0.25};
  if (!found) return {};
  return {{{"alpha", snap(found->low, found->high, wishes)}}};
}

}  // namespace

extern constinit const FaultDef fault_slope_lost = {
    .name = "slope-lost",
    .claim = "the leaky ReLU uses slope {alpha} below 0",
    .advice =
        "use a plain ReLU, or write the slope as an operation of its own\n"
        "calibrate and test with inputs that go below 0: positive ones hide it",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
