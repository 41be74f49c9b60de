// y' = op(..., constant in place of an operand, ...): the read is denied, or the operand is left
// out.
#include <algorithm>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"operand", "which operand, counted from 1", 1},
    {"neutral", "0: it reads as bytes of zero; 1: as its zero point, so that it adds nothing", 0,
     Takes::flag()},
};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id &&
         !computed_inputs(site.view()).empty();
}

Result<void> replay(Replay& r) {
  LOCKSTEP_TRY(const std::size_t operand, operand_of(r, param(params, r.params, "operand")));
  ChangedNode node(r);
  Tensor& x = node.changed(operand);
  const Value& value = node.input(operand);
  const std::int64_t code =
      param(params, r.params, "neutral") != 0 && is_coded(value) ? value.quant.zero_at(0) : 0;
  if (is_float(x.dtype()))
    std::ranges::fill(x.bytes(), std::byte{0});
  else
    for (std::int64_t i = 0; i < x.count(); ++i) x.set_code(i, code);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  std::vector<Params> sets;
  for (const std::size_t operand : computed_inputs(n)) {
    sets.push_back({{"operand", static_cast<double>(operand + 1)}, {"neutral", 0}});
    if (is_coded(n.input(operand)) && n.input(operand).quant.zero_at(0) != 0)
      sets.push_back({{"operand", static_cast<double>(operand + 1)}, {"neutral", 1}});
  }
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_operand_lost = {
    .name = "operand-lost",
    .claim =
        "operand {operand} is not read: {neutral?0:zero bytes stand|1:its zero point stands} "
        "in its place",
    .advice =
        "check that the accelerator may read the operand's memory region (security, privilege, "
        "compartment)\n"
        "check that the operand's buffer is wired to this operation at all",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
