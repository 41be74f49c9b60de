// y' = op(..., what an operand held in an earlier run, ...): the node reads a copy that was not
// renewed, whole or in cache lines.
#include <algorithm>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"
#include "fault/fault_runs.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"operand", "which operand, counted from 1", 1},
    {"frozen", "0: as it was in the run before; 1: as it was in the very first run", 0,
     Takes::flag()},
    {"line", "bytes of the cache lines that are stale; 0: the whole operand is", 0},
    {"share", "probability that a line is stale", 0.3, Takes::share()},
    {"seed", "which lines", 1},
};

// Operands that other operations make: what is stale of a network input is its own fault.
std::vector<std::size_t> made_inputs(const Site& site) {
  std::vector<std::size_t> operands = computed_inputs(site.view());
  std::erase_if(operands, [&](std::size_t i) { return site.view().input(i).producer == no_id; });
  return operands;
}

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id && !made_inputs(site).empty();
}

ValueId operand_id(const Site& site, const Params& p) {
  const auto operand = static_cast<std::size_t>(std::max(1.0, param(params, p, "operand"))) - 1;
  const auto& inputs = site.view().node.inputs;
  return operand < inputs.size() ? inputs[operand] : no_id;
}

std::vector<ValueId> reads(const Site& site, const Params& p) {
  const ValueId id = operand_id(site, p);
  return id == no_id ? std::vector<ValueId>{} : std::vector<ValueId>{id};
}

const Tensor* earlier(const Find& before, const Find& first, ValueId id, bool frozen) {
  const Find& find = frozen ? first : before;
  return find && before ? find(id) : nullptr;
}

Result<void> replay(Replay& r) {
  LOCKSTEP_TRY(const std::size_t operand, operand_of(r, param(params, r.params, "operand")));
  const double line = param(params, r.params, "line");
  if (!(line == 0 || line >= 1))
    return Error{"fault operand-stale", "line " + std::to_string(line), "0, or bytes of a line",
                 ""};
  const Tensor* old = earlier(r.find_before, r.find_first, operand_id(r.site, r.params),
                              param(params, r.params, "frozen") != 0);
  if (!old || old->bytes().size() != r.in[operand]->bytes().size())
    return {};  // the first run has none before it
  ChangedNode node(r);
  Tensor& x = node.changed(operand);
  const auto bytes = static_cast<std::int64_t>(x.bytes().size());
  std::vector<Stretch> stale = {{0, bytes}};
  if (names_stretches(r.params))
    stale = stretches_of(r.params, r.run);
  else if (line > 0)
    stale = drawn_blocks(bytes, static_cast<std::int64_t>(line), param(params, r.params, "share"),
                         param(params, r.params, "seed"), r.run);
  copy_bytes(x, *old, stale);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  for (const std::size_t operand : made_inputs(site))
    for (const double frozen : {0.0, 1.0})
      sets.push_back({{"operand", static_cast<double>(operand + 1)}, {"frozen", frozen}});
  return best_sets(site, evidence, std::move(sets), replay);
}

// Which lines are stale, operand by operand: one after the other is taken in or out while that
// brings the replay nearer.
std::vector<Params> fit(const Site& site, const Evidence& evidence, const Misfit& misfit) {
  constexpr std::size_t most_lines = 512;
  constexpr std::int64_t line = 32;
  std::vector<Params> sets;
  for (const std::size_t operand : made_inputs(site)) {
    const ValueId id = site.view().node.inputs[operand];
    Evidence of_operand;
    for (const Evidence::Item& item : evidence.items) {
      Evidence::Item own;
      own.run = item.run;
      own.expected = operand < item.in.size() ? item.in[operand] : nullptr;
      own.previous = earlier(item.find_before, item.find_first, id, false);
      of_operand.items.push_back(std::move(own));
    }
    const auto shows = [](const Evidence::Item& item, const Stretch& s) {
      return item.previous && item.previous->bytes().size() == item.expected->bytes().size() &&
             !equal_bytes(*item.expected, *item.previous, {s});
    };
    const Params others = {{"operand", static_cast<double>(operand + 1)},
                           {"line", static_cast<double>(line)}};
    auto found = fit_blocks(of_operand, line, misfit,
                            {.others = others, .shows = shows, .most = most_lines});
    if (!found) continue;
    const double left = misfit(*found);
    if (left == 0) return {std::move(*found)};
    sets.push_back(std::move(*found));
  }
  return sets;
}

}  // namespace

extern constinit const FaultDef fault_operand_stale = {
    .name = "operand-stale",
    .claim =
        "operand {operand} is read as it was {frozen?0:in the run before|1:in the very first "
        "run}{line?0:|:, in whole lines of {line#byte}}",
    .advice =
        "clean and invalidate the operand's cache lines between the unit that writes it and the "
        "one that reads it\n"
        "compare the address that this operation reads with the one that the operand is written "
        "to: a second buffer may be read in turn",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .reads = reads,
    .fit = fit,
};

}  // namespace lockstep
