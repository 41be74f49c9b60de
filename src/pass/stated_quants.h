#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ir/patch.h"

namespace lockstep {

using StatedQuants = std::map<std::string, QuantParams, std::less<>>;

// Quantizations by tensor that ST's compiler writes beside its optimized graph, format 4.0; tensors
// without one are left out. Errors: not such a text.
Result<StatedQuants> stated_quants(std::string_view text, const std::string& file);

// The compiler's optimized graph holds weights as reals, and quantizers only where codes are
// stored; `x_Q.json` beside `x.onnx` says the codes of every tensor. Weights become codes and
// dequantizers, and operators get the quantizers that are stated for them. Nothing changes where
// there is no such file; weights that are no multiples of their step stay reals.
Result<Patch> quantize_as_stated(const Graph& graph);

// The graph with that done.
Result<Graph> as_stated(Graph graph);

}  // namespace lockstep
