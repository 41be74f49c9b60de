#include "fault/fault_state.h"

#include "fault/fault_nodes.h"

namespace lockstep {

const State* state_at(const Site& site, std::size_t operand) {
  for (const State& s : site.graph().states())
    if (s.in == site.view().node.inputs[operand]) return &s;
  return nullptr;
}

bool reads_state(const Site& site) {
  if (site.node == no_id || site.view().node.outputs[0] == no_id) return false;
  for (std::size_t i = 0; i < site.view().input_count(); ++i)
    if (state_at(site, i)) return true;
  return false;
}

}  // namespace lockstep
