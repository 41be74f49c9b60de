// y' = clamp(round(real / s_y)): the zero point of the result is not added.
#include <algorithm>
#include <array>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"clamp", "0: the activation's bounds lose it as well; 1: they stay the codes of the model", 0,
     Takes::flag()}};
constexpr std::array<std::string_view, 8> kOps = {
    "Conv", "Gemm", "MatMul", "Add", "Sub", "Mul", "AveragePool", "GlobalAveragePool"};

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.outputs[0] == no_id) return false;
  const NodeView n = site.view();
  return is_coded(n.output(0)) && n.output(0).quant.zero_at(0) != 0 &&
         std::ranges::find(kOps, n.node.op) != kOps.end();
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  if (param(params, r.params, "clamp") != 0) {
    if (!is_coded_sum(r.site))
      return Error{r.site.view().where(), "is no layer on codes", "clamp=0", ""};
    node.detours().requant = [zero = node.output().quant.zero_at(0)](
                                 std::int32_t acc, const Rescale& scale, const RequantPolicy& own) {
      return own.apply(acc, scale) - zero;
    };
    return node.eval_into(r);
  }
  for (std::int32_t& z : node.output().quant.zero) z = 0;
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets = {Params{}};
  if (is_coded_sum(site)) sets.push_back({{"clamp", 1}});
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_output_zero_lost = {
    .name = "output-zero-lost",
    .claim =
        "the zero point of the result is not added{clamp?0:|1:, the bounds of its activation are "
        "those of the model}",
    .advice =
        "quantize the output symmetrically (zero point 0) and compare\n"
        "run this operation on the CPU",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
