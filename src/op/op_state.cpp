#include "op/op_state.h"

namespace lockstep {

Result<ValueId> make_state(const ForeignNode& f, GraphBuilder& graph, std::size_t input) {
  const ValueId after = input < f.inputs.size() ? f.inputs[input] : no_id;
  if (after == no_id)
    return Error{f.where, "no state at input " + std::to_string(input), "a variable tensor", ""};
  const Value kept = graph.value(after);
  if (kept.producer != no_id || kept.constant)
    return Error{f.where, "state '" + kept.name + "' that another node writes or that is constant",
                 "a variable tensor of its own", ""};
  Value before;
  before.name = graph.unique_name(kept.name + "@before");
  before.dtype = kept.dtype;
  before.shape = kept.shape;
  before.quant = kept.quant;
  before.origin = kept.origin;
  const ValueId id = graph.add_value(std::move(before));
  graph.add_state({id, after, nullptr});
  return id;
}

}  // namespace lockstep
