// y' = clamp(round(real / s_y) + z_y + d): the result stands on another zero point.
#include <algorithm>
#include <array>
#include <map>

#include "fault/fault_elements.h"
#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"by", "codes that are added to the zero point", 1}};
constexpr std::array<std::string_view, 13> kOps = {"Conv",
                                                   "Gemm",
                                                   "MatMul",
                                                   "Add",
                                                   "Sub",
                                                   "Mul",
                                                   "AveragePool",
                                                   "GlobalAveragePool",
                                                   "QuantizeLinear",
                                                   "Softmax",
                                                   "ReduceMean",
                                                   "ConvTranspose",
                                                   "Requantize"};

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.outputs[0] == no_id) return false;
  const NodeView n = site.view();
  return is_coded(n.output(0)) && std::ranges::find(kOps, n.node.op) != kOps.end();
}

Result<void> replay(Replay& r) {
  const auto by = static_cast<std::int32_t>(param(params, r.params, "by"));
  const NodeView n = r.site.view();
  if (n.node.op != "Softmax") {
    ChangedNode node(r);
    for (std::int32_t& z : node.output().quant.zero) z += by;
    return node.eval_into(r);
  }
  const CodeRange range = code_range(n.output(0).dtype);
  for (std::int64_t i = 0; i < r.out[0].count(); ++i)
    r.out[0].set_code(i, std::clamp(r.out[0].code(i) + by, range.low, range.high));
  return {};
}

// The difference that most unsaturated elements show.
std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const auto range = output_scale(site.view());
  if (!range) return {};
  std::map<std::int64_t, std::int64_t> votes;
  std::int64_t voters = 0;
  for_elements(evidence, 1 << 14, [&](const Evidence::Item& item, std::int64_t i) {
    const std::int64_t was = item.expected->code(i), is = item.observed->code(i);
    if (was <= range->low || was >= range->high || is <= range->low || is >= range->high) return;
    ++votes[is - was];
    ++voters;
  });
  std::vector<Params> sets;
  for (const auto& [by, count] : votes)
    if (by != 0 && count * 2 > voters) sets.push_back({{"by", static_cast<double>(by)}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_result_offset = {
    .name = "result-offset",
    .claim = "the result lies {by#code} too {by?<0:low|:high}: its zero point is another",
    .advice =
        "compare the output zero point of this operation in the compiled program with the model's\n"
        "compile again from this very model file: a zero point of another version gives the same "
        "picture",
    .stage = Stage::node,
    .scope = Scope::this_node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
