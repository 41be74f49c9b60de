// y' = scale (x - mean) / sqrt(variance + epsilon') + bias, or the same with one of its parts left
// out.
#include <algorithm>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"left_out", "0: none, epsilon is another; 1: scale; 2: bias; 3: mean; 4: variance", 0,
     Takes::up_to(4)},
    {"epsilon", "what is added to the variance", 1e-3, Takes::real()},
};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.op == "BatchNormalization" &&
         site.view().input_count() == 5;
}

Result<void> replay(Replay& r) {
  const double part = param(params, r.params, "left_out");
  if (part != 0 && part != 1 && part != 2 && part != 3 && part != 4)
    return Error{"fault batch-norm-wrong", "left_out " + std::to_string(part), "0 .. 4", ""};
  ChangedNode node(r);
  if (part == 0) {
    node.attrs().set("epsilon", param(params, r.params, "epsilon"));
  } else {
    Tensor& t = node.changed(static_cast<std::size_t>(part));
    for (std::int64_t i = 0; i < t.count(); ++i) t.set_number(i, part == 1 || part == 4 ? 1 : 0);
  }
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  for (const double part : {1.0, 2.0, 3.0, 4.0}) sets.push_back({{"left_out", part}});
  for (const double epsilon : {1e-3, 1e-5, 1e-12, 0.0, 1e-4, 1e-2})
    sets.push_back({{"left_out", 0}, {"epsilon", epsilon}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_batch_norm_wrong = {
    .name = "batch-norm-wrong",
    .claim =
        "the batch normalization {left_out?0:uses another epsilon, {epsilon}|1:leaves out "
        "its scale|2:leaves out its bias|3:leaves out the mean|4:leaves out the variance}",
    .advice =
        "fold the normalization in float before quantizing, from a model exported for inference\n"
        "compare epsilon with the framework's default (1e-3 against 1e-5)",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
