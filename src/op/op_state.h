#pragma once

#include "op/op.h"

namespace lockstep {

// A variable tensor of the file becomes two values: what the node reads (a new value,
// "NAME@before") and what it leaves, which keeps the file's name. Returns the new value. Error: the
// tensor is absent, or another node already keeps its state there.
Result<ValueId> make_state(const ForeignNode& f, GraphBuilder& graph, std::size_t input);

}  // namespace lockstep
