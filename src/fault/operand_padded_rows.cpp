// y' = op(..., an operand whose padded rows are read as if they were dense, ...).
#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"operand", "which operand, counted from 1", 1},
    {"multiple", "elements to a multiple of which rows are padded", 16},
    {"fill", "what lies in the padding", 0},
};

bool padded(const Value& v, std::int64_t multiple) {
  return !v.shape.empty() && v.shape.back() > 0 && v.shape.back() % multiple != 0 &&
         count_of(v.shape) > v.shape.back();
}

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.outputs[0] == no_id) return false;
  const auto operands = computed_inputs(site.view());
  return !operands.empty() && padded(site.view().input(operands[0]), 16);
}

Result<void> replay(Replay& r) {
  LOCKSTEP_TRY(const std::size_t operand, operand_of(r, param(params, r.params, "operand")));
  const auto multiple = static_cast<std::int64_t>(param(params, r.params, "multiple"));
  if (multiple < 2)
    return Error{"fault operand-padded-rows", "multiple " + std::to_string(multiple), "2 at least",
                 ""};
  ChangedNode node(r);
  node.changed(operand) = with_padded_rows(
      node.contents(operand), multiple, static_cast<std::int64_t>(param(params, r.params, "fill")));
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  std::vector<Params> sets;
  for (const std::size_t operand : computed_inputs(n))
    for (const std::int64_t multiple : {8, 16, 32, 64}) {
      const Value& v = n.input(operand);
      if (!padded(v, multiple)) continue;
      std::vector<double> fills = {0};
      if (is_coded(v) && v.quant.zero_at(0) != 0) fills.push_back(v.quant.zero_at(0));
      for (const double fill : fills)
        sets.push_back({{"operand", static_cast<double>(operand + 1)},
                        {"multiple", static_cast<double>(multiple)},
                        {"fill", fill}});
    }
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_operand_padded_rows = {
    .name = "operand-padded-rows",
    .claim =
        "rows of operand {operand} are padded to multiples of {multiple} elements, and the "
        "operation reads them as if they were dense",
    .advice =
        "compare the row stride with which the buffer is written and the one with which this "
        "operation reads it\n"
        "use the stride of the descriptor, or a row length that needs no padding",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
