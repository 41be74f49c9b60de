#pragma once

#include <map>
#include <span>
#include <string>

#include "ir/graph.h"
#include "op/op.h"

namespace lockstep {

struct ImportOptions {
  // Extents for symbolic or unknown dimensions by their name, or by "input[axis]"; an error where
  // the model leaves no such dimension open. The others become 1, or where the graph does not fit
  // that, the least power of two up to 256 that it fits.
  std::map<std::string, std::int64_t> dimensions;
  // For those without a name, where nobody asked for another: by "input[axis]", any names.
  std::map<std::string, std::int64_t> suggested = {};
};

// Reads a model by its contents, not its ending: .onnx, .tflite. Shape arithmetic is folded, Scan
// and Loop with constant trip count are unrolled, states become explicit. An error names file,
// node, operator or attribute, what was found and what would be right.
Result<Graph> import_model(const std::string& path, const ImportOptions& options = {});
Result<Graph> import_onnx(const std::string& path, const ImportOptions& options);
// The same from bytes; `path` names them in errors.
Result<Graph> import_onnx_bytes(std::span<const std::byte> bytes, const std::string& path,
                                const ImportOptions& options = {});
Result<Graph> import_tflite(const std::string& path, const ImportOptions& options);
Result<Graph> import_tflite_bytes(std::span<const std::byte> bytes, const std::string& path);

// Shared by importers: after a foreign node was mapped, runs check and shape rules of the nodes
// from `first` on, and folds those whose inputs are all constant (quantize and dequantize
// excepted).
Result<void> settle_nodes(GraphBuilder& graph, NodeId first);

// Runs the row's mapping. A row without one takes inputs, outputs and attributes as they are: an
// attribute that the operator does not name is refused, since it would change the numbers.
Result<void> map_foreign(const ForeignNode& foreign, const ForeignMatch& match,
                         GraphBuilder& graph);

// The extents of a tensor that a file claims: none negative and at most 512 MiB, so that a few
// damaged bytes cannot ask for all memory.
Result<void> checked_size(const Shape& shape, std::size_t element_bytes, const std::string& where);

}  // namespace lockstep
