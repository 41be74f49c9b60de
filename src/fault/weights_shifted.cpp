// y' = op(x, w[i + by]): the weights are read at a wrong address; beyond their end lie zeros.
#include <algorithm>

#include "fault/fault_search.h"
#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"by", "elements by which the weights are read too late (negative: too early)", 4}};

bool applies(const Site& site) {
  return has_weights(site);
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  node.changed(kWeights) =
      shifted(node.contents(kWeights), static_cast<std::int64_t>(param(params, r.params, "by")));
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const std::int64_t count = count_of(site.view().input(kWeights).shape);
  std::vector<Params> sets;
  for (std::int64_t step = 1; step <= 4096 && step < count; step *= 2)
    for (const std::int64_t by : {step, -step}) sets.push_back({{"by", static_cast<double>(by)}});
  return best_sets(site, evidence, std::move(sets), replay);
}

std::vector<Params> fit(const Site& site, const Evidence&, const Misfit& misfit) {
  const std::int64_t most =
      std::min<std::int64_t>(64, count_of(site.view().input(kWeights).shape) - 1);
  if (const auto by = least_step([&](double b) { return misfit({{"by", b}}); }, most))
    return {{{"by", *by}}};
  return {};
}

}  // namespace

extern constinit const FaultDef fault_weights_shifted = {
    .name = "weights-shifted",
    .claim = "the weights are read {by#element} too {by?<0:early|:late}",
    .advice =
        "compare the address of the weight image in flash with the one that the program was linked "
        "for\n"
        "check headers and alignment that the image format puts before the weights",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
    .orders_weights = true,
};

}  // namespace lockstep
