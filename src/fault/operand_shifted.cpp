// y' = op(..., x[i + by], ...): an operand is read at a wrong offset; beyond its end lie zeros.
#include <algorithm>
#include <set>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"
#include "fault/fault_search.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"operand", "which operand, counted from 1", 1},
    {"by", "elements by which it is read too late (negative: too early)", 4},
};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id &&
         !computed_inputs(site.view()).empty();
}

Result<void> replay(Replay& r) {
  LOCKSTEP_TRY(const std::size_t operand, operand_of(r, param(params, r.params, "operand")));
  ChangedNode node(r);
  node.changed(operand) =
      shifted(node.contents(operand), static_cast<std::int64_t>(param(params, r.params, "by")));
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  std::vector<Params> sets;
  for (const std::size_t operand : computed_inputs(n)) {
    const Shape& shape = n.input(operand).shape;
    std::set<std::int64_t> steps = {1, 2, 4, 8, 16, 32, 64};
    for (std::size_t a = 1; a <= shape.size(); ++a)
      steps.insert(count_of({shape.end() - static_cast<std::ptrdiff_t>(a), shape.end()}));
    for (const std::int64_t step : steps)
      if (step < count_of(shape))
        for (const std::int64_t by : {step, -step})
          sets.push_back(
              {{"operand", static_cast<double>(operand + 1)}, {"by", static_cast<double>(by)}});
  }
  return best_sets(site, evidence, std::move(sets), replay);
}

std::vector<Params> fit(const Site& site, const Evidence&, const Misfit& misfit) {
  std::vector<Params> sets;
  for (const std::size_t operand : computed_inputs(site.view())) {
    const auto number = static_cast<double>(operand + 1);
    const std::int64_t most =
        std::min<std::int64_t>(64, count_of(site.view().input(operand).shape) - 1);
    if (const auto by = least_step(
            [&](double b) {
              return misfit({{"operand", number}, {"by", b}});
            },
            most))
      sets.push_back({{"operand", number}, {"by", *by}});
  }
  return sets;
}

}  // namespace

extern constinit const FaultDef fault_operand_shifted = {
    .name = "operand-shifted",
    .claim = "operand {operand} is read {by#element} too {by?<0:early|:late}",
    .advice =
        "check offset and alignment of the buffer: vector loads drop the low bits of an address\n"
        "move the buffer by 4, 8, 12 bytes: the error moves with it",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
