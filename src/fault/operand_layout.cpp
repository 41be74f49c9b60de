// y' = op(..., x under other strides, ...): an operand's bytes are read in another layout.
#include "fault/fault_eval.h"
#include "fault/fault_input.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"operand", "which operand, counted from 1", 1},
    {"layout", "0: read channel-last; 1: read channel-first; 2: spatial axes swapped", 0,
     Takes::up_to(2)},
    {"sent", "1: the bytes were written in the other layout, the node reads as it should", 0,
     Takes::flag()},
};

std::vector<std::int64_t> moved(const Shape& shape, double layout) {
  const std::size_t rank = shape.size();
  if (rank < 3) return {};
  std::vector<std::size_t> order = {0};
  if (layout == 0) {
    for (std::size_t a = 2; a < rank; ++a) order.push_back(a);
    order.push_back(1);
  } else if (layout == 1) {
    order.push_back(rank - 1);
    for (std::size_t a = 1; a + 1 < rank; ++a) order.push_back(a);
  } else {
    for (std::size_t a = 1; a < rank; ++a) order.push_back(a);
    std::swap(order[rank - 1], order[rank - 2]);
  }
  return read_with_order(shape, order);
}

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.outputs[0] == no_id) return false;
  for (const std::size_t i : computed_inputs(site.view()))
    for (const double layout : {0.0, 1.0, 2.0})
      if (!moved(site.view().input(i).shape, layout).empty()) return true;
  return false;
}

Result<void> replay(Replay& r) {
  LOCKSTEP_TRY(const std::size_t operand, operand_of(r, param(params, r.params, "operand")));
  ChangedNode node(r);
  const auto source = moved(node.contents(operand).shape(), param(params, r.params, "layout"));
  gather(node.changed(operand), param(params, r.params, "sent") != 0 ? inverse(source) : source);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  for (const std::size_t operand : computed_inputs(site.view()))
    for (const double layout : {0.0, 1.0, 2.0}) {
      const auto source = moved(site.view().input(operand).shape, layout);
      if (source.empty()) continue;
      sets.push_back({{"operand", static_cast<double>(operand + 1)}, {"layout", layout}});
      if (source != inverse(source))
        sets.push_back(
            {{"operand", static_cast<double>(operand + 1)}, {"layout", layout}, {"sent", 1}});
    }
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_operand_layout = {
    .name = "operand-layout",
    .claim =
        "operand {operand} is {sent?0:read|1:written} {layout?0:channels last|1:channels "
        "first|2:with its spatial axes swapped}, and is not {sent?0:written|1:read} so",
    .advice =
        "look for a transpose or a layout conversion that the compiler dropped before this "
        "operation\n"
        "check the row and channel strides of the two operations' buffers",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
