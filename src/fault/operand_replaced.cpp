// y' = op(..., another live tensor in place of an operand, ...): the node reads the wrong buffer.
#include <cstring>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"
#include "fault/fault_other.h"
#include "op/op.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"operand", "which operand, counted from 1", 1},
    {"other", "the tensor that is read, by its number in the graph; -1: the nearest before", -1},
};

std::int64_t bytes_of(const Value& v) {
  return count_of(v.shape) * static_cast<std::int64_t>(size_of(v.dtype));
}

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.outputs[0] == no_id) return false;
  const NodeView n = site.view();
  const auto operands = computed_inputs(n);
  return !operands.empty() && other_tensor(site, {}, bytes_of(n.input(operands[0]))) != no_id;
}

ValueId other_for(const Site& site, const Params& p) {
  const auto operand = static_cast<std::size_t>(std::max(1.0, param(params, p, "operand"))) - 1;
  const NodeView n = site.view();
  return n.has_input(operand) ? other_tensor(site, p, bytes_of(n.input(operand))) : no_id;
}

std::vector<ValueId> reads(const Site& site, const Params& p) {
  const ValueId id = other_for(site, p);
  return id == no_id ? std::vector<ValueId>{} : std::vector<ValueId>{id};
}

Result<void> replay(Replay& r) {
  LOCKSTEP_TRY(const std::size_t operand, operand_of(r, param(params, r.params, "operand")));
  const Tensor* other = contents_of(r, other_for(r.site, r.params));
  ChangedNode node(r);
  const auto bytes = node.changed(operand).bytes();
  if (!other || other->bytes().size() < bytes.size())
    return Error{r.site.view().where(), "the other tensor is not at hand or too short",
                 "one that is made before the node", ""};
  std::memcpy(bytes.data(), other->bytes().data(), bytes.size());
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  const OpDef* op = find_op(n.node.op);
  const bool is_large = op && op->cost && op->cost(n).macs > 2'000'000;
  const std::size_t most = is_large ? 8 : 40;  // tensors tried for one operand, nearest first
  std::vector<Params> sets;
  for (const std::size_t operand : computed_inputs(n)) {
    std::size_t tried = 0;
    for (const ValueId id : other_tensors(site, bytes_of(n.input(operand))))
      if (id != n.node.inputs[operand] && tried++ < most)
        sets.push_back({{"operand", static_cast<double>(operand + 1)}, {"other", id}});
  }
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_operand_replaced = {
    .name = "operand-replaced",
    .claim = "operand {operand} is read from the buffer of tensor {other}",
    .advice =
        "check in the memory map that the operand is still alive when this operation runs\n"
        "exposing the operand as an output changes the memory plan: that it is right then proves "
        "nothing here",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .reads = reads,
};

}  // namespace lockstep
