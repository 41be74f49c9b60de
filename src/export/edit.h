#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "ir/graph.h"

namespace lockstep {

// Edits of a user's own model file: everything that is not named stays as the file has it. `graph`
// is the imported model: it says types and shapes where the file does not.

// The model with further outputs. Errors: not an ONNX or TFLite file; a tensor that no node makes.
Result<Bytes> with_outputs(std::span<const std::byte> model, const Graph& graph,
                           std::span<const std::string> tensors);
Result<Bytes> onnx_with_outputs(std::span<const std::byte> model, const Graph& graph,
                                std::span<const std::string> tensors);
Result<Bytes> tflite_with_outputs(std::span<const std::byte> model, const Graph& graph,
                                  std::span<const std::string> tensors);

// The part of a model between tensors: what makes `outputs` from `inputs` and constants. `shapes`
// gives inputs and outputs other extents than the file's. Errors: another format; outputs that need
// more than `inputs` (the model's own inputs among them).
Result<Bytes> onnx_between(std::span<const std::byte> model, const Graph& graph,
                           std::span<const std::string> inputs,
                           std::span<const std::string> outputs,
                           const std::map<std::string, Shape>& shapes = {});

Result<Bytes> tflite_between(std::span<const std::byte> model, const Graph& graph,
                             std::span<const std::string> inputs,
                             std::span<const std::string> outputs,
                             const std::map<std::string, Shape>& shapes = {});

bool is_tflite(std::span<const std::byte> model);

}  // namespace lockstep
