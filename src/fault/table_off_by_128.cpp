// y' = f(x xor 0x80): a function's table of 256 codes is entered at the wrong half.
#include <algorithm>
#include <array>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr std::array<std::string_view, 12> kTables = {
    "Sigmoid", "Tanh", "LeakyRelu", "HardSwish", "HardSigmoid", "Elu",
    "Exp",     "Log",  "Rsqrt",     "Sqrt",      "Gelu",        "Mish"};

bool applies(const Site& site) {
  if (site.node == no_id || std::ranges::find(kTables, site.view().node.op) == kTables.end())
    return false;
  const NodeView n = site.view();
  return is_coded(n.input(0)) && size_of(n.input(0).dtype) == 1;
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  for (std::byte& b : node.changed(0).bytes()) b ^= std::byte{0x80};
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {Params{}}, replay);
}

}  // namespace

extern constinit const FaultDef fault_table_off_by_128 = {
    .name = "table-off-by-128",
    .claim =
        "the function's table is entered 128 codes off: int8 and uint8 are taken for each other",
    .advice =
        "compare the table's index type with the element type of the operand\n"
        "run this operation on the CPU, and compare",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
