// y' = op with z = 0 for an operand (or with z unscaled, in sums): q stands where q - z belongs.
#include <algorithm>
#include <array>

#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"operand", "whose zero point, counted from 1 (of a layer 2: the weights); 0: every operand's",
     1},
    {"unscaled", "1: in a sum the zero points are subtracted after scaling", 0, Takes::flag()},
};
constexpr std::array<std::string_view, 4> kMovesOnly = {"Concat", "MaxPool", "Reshape",
                                                        "Transpose"};

bool has_zero(const Value& v) {
  return is_coded(v) && std::ranges::any_of(v.quant.zero, [](std::int32_t z) { return z != 0; });
}

// Operands whose zero point enters: the computed ones, and weights that have one.
std::vector<std::size_t> operands_of(const Site& site) {
  const NodeView n = site.view();
  std::vector<std::size_t> out = computed_inputs(n);
  if (has_weights(site) && has_zero(n.input(kWeights))) out.push_back(kWeights);
  return out;
}

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.outputs[0] == no_id) return false;
  const NodeView n = site.view();
  if (!is_coded(n.output(0)) || std::ranges::find(kMovesOnly, n.node.op) != kMovesOnly.end())
    return false;
  for (const std::size_t i : operands_of(site))
    if (has_zero(n.input(i))) return true;
  return false;
}

std::int32_t forget(Value& v) {
  const std::int32_t zero = v.quant.zero_at(0);
  for (std::int32_t& z : v.quant.zero) z = 0;
  return zero;
}

Result<void> replay(Replay& r) {
  const double number = param(params, r.params, "operand");
  ChangedNode node(r);
  std::vector<std::size_t> operands = operands_of(r.site);
  const bool of_weights = number == kWeights + 1 && std::ranges::count(operands, kWeights) > 0;
  if (of_weights)
    operands = {kWeights};
  else if (number != 0) {
    LOCKSTEP_TRY(const std::size_t operand, operand_of(r, number));
    operands = {operand};
  }
  std::int32_t late = 0;
  for (const std::size_t i : operands) {
    if (!is_coded(node.input(i)))
      return Error{r.site.view().where(), "operand " + std::to_string(i + 1) + " has no zero point",
                   "an operand in codes", ""};
    const std::int32_t zero = forget(node.input(i));
    late += i == 1 && r.site.view().node.op == "Sub" ? -zero : zero;
  }
  if (param(params, r.params, "unscaled") != 0)
    node.detours().binary = [late](std::int32_t a, std::int32_t b, const BinaryState& state,
                                   const BinaryPolicy& own) {
      BinaryState wide = state;
      wide.s.low = -(1 << 20);
      wide.s.high = 1 << 20;
      return std::clamp(own.apply(a, b, wide) - late, state.s.low, state.s.high);
    };
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const auto operands = operands_of(site);
  const bool sum = is_coded_add(site);
  std::vector<Params> sets;
  for (std::size_t k = 0; k <= operands.size(); ++k) {
    if (k == operands.size() && operands.size() < 2) break;
    const double number = k == operands.size() ? 0 : static_cast<double>(operands[k] + 1);
    for (const double unscaled : {0.0, 1.0})
      if (unscaled == 0 || sum) sets.push_back({{"operand", number}, {"unscaled", unscaled}});
  }
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_zero_point_ignored = {
    .name = "zero-point-ignored",
    .claim =
        "the zero point of {operand?0:every operand|:operand {operand}} is "
        "{unscaled?0:ignored|1:subtracted after scaling}",
    .advice =
        "quantize this operand symmetrically (zero point 0) and compare\n"
        "run this operation on the CPU",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
