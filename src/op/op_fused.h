#pragma once

#include "op/op_foreign.h"

namespace lockstep {

// onnxruntime's FusedConv and FusedGemm, which stand in models that it has optimized: the layer
// that `map` makes of the node without its activation, then the activation. Errors: an activation
// that is none of the runtime's, a fused sum.
Result<void> from_fused(const ForeignNode& f, GraphBuilder& graph, ForeignMap map);

}  // namespace lockstep
