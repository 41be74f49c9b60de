// M'_c = M_0 (or the greatest, or the mean, or 0): one multiplier stands for all output channels.
#include <algorithm>
#include <numeric>

#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"which", "0: the first channel's scale; 1: the greatest; 2: the mean; 3: the last", 0,
     Takes::up_to(3)}};

bool applies(const Site& site) {
  if (!is_coded_sum(site)) return false;
  const auto& scale = site.view().input(kWeights).quant.scale;
  return scale.size() > 1 && std::ranges::any_of(scale, [&](double s) { return s != scale[0]; });
}

Result<void> replay(Replay& r) {
  const double which = param(params, r.params, "which");
  ChangedNode node(r);
  auto& scale = node.input(kWeights).quant.scale;
  double one = scale[0];
  if (which == 1)
    one = std::ranges::max(scale);
  else if (which == 2)
    one = std::accumulate(scale.begin(), scale.end(), 0.0) / static_cast<double>(scale.size());
  else if (which == 3)
    one = scale.back();
  else if (which != 0)
    return Error{"fault per-channel-as-per-tensor", "which=" + std::to_string(which),
                 "0, 1, 2 or 3", ""};
  std::ranges::fill(scale, one);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {{{"which", 0}}, {{"which", 1}}, {{"which", 2}}, {{"which", 3}}},
                   replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_per_channel_as_per_tensor = {
    .name = "per-channel-as-per-tensor",
    .claim =
        "{which?0:the first channel's weight scale|1:the greatest weight scale|2:the mean of "
        "the weight scales|3:the last channel's weight scale} is used for all output channels",
    .advice = "quantize the weights per tensor for this engine, or update its runtime",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
