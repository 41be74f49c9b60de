// y' with k_i = s_i / s_y modulo m: the integer bits of a multiplier are lost.
#include <cmath>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"modulus",
                                 "1: every integer bit is lost; 2: those from the second on", 1,
                                 Takes::between(1, 2)}};

double wrapped(double scale, double y, double modulus) {
  return std::fmod(scale / y, modulus) * y;
}

bool applies(const Site& site) {
  if (!is_coded_add(site)) return false;
  const NodeView n = site.view();
  const double y = n.output(0).quant.scale_at(0);
  return n.input(0).quant.scale_at(0) > y || n.input(1).quant.scale_at(0) > y;
}

Result<void> replay(Replay& r) {
  const double modulus = param(params, r.params, "modulus");
  if (modulus != 1 && modulus != 2)
    return Error{"fault add-multiplier-wraps", "modulus " + std::to_string(modulus), "1 or 2", ""};
  ChangedNode node(r);
  const double y = node.output().quant.scale_at(0);
  for (const std::size_t i : {0u, 1u}) {
    double& scale = node.input(i).quant.scale[0];
    if (scale / y < modulus) continue;
    scale = wrapped(scale, y, modulus);
    if (!(scale > 0))
      return Error{r.site.view().where(), "the multiplier becomes 0",
                   "another modulus, or operand-lost", ""};
  }
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {{{"modulus", 1}}, {{"modulus", 2}}}, replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_add_multiplier_wraps = {
    .name = "add-multiplier-wraps",
    .claim =
        "operand multipliers lose {modulus?1:every integer bit|2:the integer bits from the "
        "second on}",
    .advice =
        "choose an output scale that is not below the operands' scales\n"
        "run this operation on the CPU, and compare",
    .stage = Stage::node,
    .scope = Scope::unequal_scales,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
