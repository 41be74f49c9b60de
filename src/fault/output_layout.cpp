// y' = y in another order of axes: the output's bytes are written, or dumped, in another layout.
#include "fault/fault_input.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"layout", "0: channels last in memory; 1: channels first in memory; 2: spatial axes swapped",
     0, Takes::up_to(2)}};

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
  if (site.node == no_id || site.view().node.outputs[0] == no_id ||
      site.view().node.op == "DequantizeLinear")
    return false;
  for (const double layout : {0.0, 1.0, 2.0})
    if (!moved(site.view().output(0).shape, layout).empty()) return true;
  return false;
}

// What was written in the other order is read in the declared one.
Result<void> replay(Replay& r) {
  const auto source = moved(r.out[0].shape(), param(params, r.params, "layout"));
  if (source.empty())
    return Error{r.site.view().where(), "no such layout moves this output",
                 "layout 0, 1 or 2 where it moves something", ""};
  gather(r.out[0], inverse(source));
  return {};
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  for (const double layout : {0.0, 1.0, 2.0})
    if (!moved(site.view().output(0).shape, layout).empty()) sets.push_back({{"layout", layout}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_output_layout = {
    .name = "output-layout",
    .claim =
        "the output is written {layout?0:channels last|1:channels first|2:with its spatial "
        "axes swapped}, and is not read so",
    .advice =
        "read the tensor with the axes in the device's order (channels last, as most NPUs keep "
        "them)\n"
        "check the layout option of the compiler for this tensor",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
