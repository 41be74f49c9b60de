// y' = sat8(k_a (a - z_a)) + sat8(k_b (b - z_b)) + z_y: each operand is stored in 8 bits before the
// sum.
#include <algorithm>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

bool applies(const Site& site) {
  return is_coded_add(site);
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  const CodeRange range = code_range(DType::i8);
  node.detours().binary = [range](std::int32_t a, std::int32_t b, const BinaryState& state,
                                  const BinaryPolicy& own) {
    BinaryState wide = state;  // nothing clamps, and zero stands for what the other operand adds
    wide.s.low = -(1 << 20);
    wide.s.high = 1 << 20;
    const auto alone = [&](std::int32_t x, std::int32_t y) {
      return std::clamp<std::int32_t>(own.apply(x, y, wide) - state.s.y_zero,
                                      static_cast<std::int32_t>(range.low),
                                      static_cast<std::int32_t>(range.high));
    };
    const std::int32_t sum = alone(a, state.s.b_zero) + alone(state.s.a_zero, b) + state.s.y_zero;
    return std::clamp(sum, state.s.low, state.s.high);
  };
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {Params{}}, replay);
}

}  // namespace

extern constinit const FaultDef fault_operand_saturates_early = {
    .name = "operand-saturates-early",
    .claim = "each operand saturates at 8 bits before the sum",
    .advice =
        "choose a larger output scale, so that neither operand alone leaves the range\n"
        "run this operation on the CPU, and compare",
    .stage = Stage::node,
    .scope = Scope::unequal_scales,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
