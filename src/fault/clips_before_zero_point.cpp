// y' = clamp(clamp(round(M acc)) + z_y): the result saturates at the codes' range before its zero
// point is added.
#include <algorithm>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

bool applies(const Site& site) {
  return is_coded_sum(site) && site.view().output(0).quant.zero_at(0) != 0;
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  const bool is_unsigned = node.output().dtype == DType::u8 || node.output().dtype == DType::u16;
  const CodeRange own_range = code_range(node.output().dtype);
  // Codes without sign are stored from 0 on; what is clipped is the signed value before that.
  const std::int64_t half = (own_range.high - own_range.low + 1) / 2;
  const std::int64_t low = is_unsigned ? -half : own_range.low,
                     high = is_unsigned ? half - 1 : own_range.high;
  node.detours().requant = [=](std::int32_t acc, const Rescale& scale, const RequantPolicy& own) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(own.apply(acc, scale), low, high));
  };
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {Params{}}, replay);
}

}  // namespace

extern constinit const FaultDef fault_clips_before_zero_point = {
    .name = "clips-before-zero-point",
    .claim = "the result is clipped to the range of its codes before its zero point is added",
    .advice =
        "choose a larger output scale, or quantize the output symmetrically (zero point 0)\n"
        "run this operation on the CPU, and compare",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .cost = SumCost::meaning,
};

}  // namespace lockstep
