// M'_c = 2^n next to M_c: the engine scales by shifts only.
#include <cmath>

#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"direction",
                                 "0: the nearest power; -1: the one below; 1: the one above", 0,
                                 Takes::between(-1, 1)}};

bool applies(const Site& site) {
  return is_coded_sum(site);
}

Result<void> replay(Replay& r) {
  const double direction = param(params, r.params, "direction");
  const NodeView n = r.site.view();
  ChangedNode node(r);
  for (double& scale : node.input(kWeights).quant.scale) {
    const double own = n.input(0).quant.scale_at(0) * scale / n.output(0).quant.scale_at(0);
    const double power = std::log2(own);
    const double taken = direction < 0   ? std::floor(power)
                         : direction > 0 ? std::ceil(power)
                                         : std::nearbyint(power);
    scale *= std::exp2(taken) / own;
  }
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {{{"direction", 0}}, {{"direction", -1}}, {{"direction", 1}}},
                   replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_multiplier_power_of_two = {
    .name = "multiplier-power-of-two",
    .claim =
        "multipliers are rounded to the {direction?0:nearest power of two|-1:power of two "
        "below|1:power of two above}",
    .advice = "quantize with power-of-two scales for this engine",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
