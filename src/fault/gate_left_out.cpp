// y' = x in place of x g: the operand that weighs the other, the gate, does not enter the product.
#include <algorithm>
#include <cstring>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"operand", "which operand is the gate, counted from 1", 2},
    {"how",
     "0: it counts as exactly 1; 1: the other operand's codes are copied as they are; 2: it reads "
     "as its greatest code",
     0, Takes::up_to(2)},
};

// The other operand holds an element for each of the result.
bool is_gate(const NodeView& n, std::size_t operand) {
  return operand < 2 && is_computed(n, operand) && is_computed(n, 1 - operand) &&
         count_of(n.input(1 - operand).shape) == count_of(n.output(0).shape) &&
         is_float(n.input(operand).dtype) == is_float(n.input(1 - operand).dtype);
}

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.op != "Mul") return false;
  const NodeView n = site.view();
  return n.node.outputs[0] != no_id && n.node.inputs.size() == 2 &&
         n.node.inputs[0] != n.node.inputs[1] && (is_gate(n, 0) || is_gate(n, 1));
}

Result<void> replay(Replay& r) {
  LOCKSTEP_TRY(const std::size_t operand, operand_of(r, param(params, r.params, "operand")));
  const NodeView n = r.site.view();
  const double how = param(params, r.params, "how");
  const bool known = how == 0 || ((how == 1 || how == 2) && is_coded(n.input(operand)));
  if (!known || !is_gate(n, operand))
    return Error{"fault gate-left-out",
                 "operand " + std::to_string(operand + 1) + ", how " + std::to_string(how),
                 "an operand beside one of the result's size; how 0, of codes 1 and 2 too", ""};
  if (how == 1) {
    if (r.in[1 - operand]->bytes().size() != r.out[0].bytes().size())
      return Error{"fault gate-left-out", "operand and result differ in type", "codes of one width",
                   ""};
    std::memcpy(r.out[0].bytes().data(), r.in[1 - operand]->bytes().data(),
                r.out[0].bytes().size());
    return {};
  }
  ChangedNode node(r);
  Tensor& gate = node.changed(operand);
  Value& value = node.input(operand);
  if (how == 0 && is_coded(value))
    value.quant.scale = {1}, value.quant.zero = {0}, value.quant.axis = -1;
  for (std::int64_t i = 0; i < gate.count(); ++i)
    if (is_float(gate.dtype()))
      gate.set_number(i, 1);
    else
      gate.set_code(i, how == 0 ? 1 : code_range(gate.dtype()).high);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  std::vector<Params> sets;
  for (const std::size_t operand : {std::size_t{1}, std::size_t{0}})
    if (is_gate(n, operand))
      for (int how = 0; how < (is_coded(n.input(operand)) ? 3 : 1); ++how)
        if (how != 1 || size_of(n.input(1 - operand).dtype) == size_of(n.output(0).dtype))
          sets.push_back({{"operand", static_cast<double>(operand + 1)}, {"how", how}});
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_gate_left_out = {
    .name = "gate-left-out",
    .claim =
        "operand {operand} does not weigh the other: {how?0:it counts as 1|1:the other's codes are "
        "copied as they are|2:it reads as its greatest code}",
    .advice =
        "check that the product is in the compiled graph at all, and not folded into an identity "
        "or a concatenation\n"
        "check that the gate is computed before the product reads it",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
