#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace lockstep {

enum class Format : std::uint8_t { onnx, tflite, keras };

// An operation as its file says it: attributes by name, tensors by the ids they got in the builder.
// Outputs are declared values: in TFLite with shape and type from the file, in ONNX still without
// (the importer runs the shape rule right after the mapping).
struct ForeignNode {
  Format format;
  std::string op;     // "Conv", "com.microsoft:QLinearAdd", "CONV_2D"
  int version = 0;    // opset (ONNX) or operator version (TFLite)
  std::string name;   // in the file, or made up from op and index
  std::string where;  // for errors
  Attrs attrs;        // TFLite: the builtin options by field name, enums as text ("SAME", "RELU")
  std::vector<ValueId> inputs;  // no_id where absent
  std::vector<ValueId> outputs;
};

// Turns one foreign node into nodes of the graph under construction.
using ForeignMap = Result<void> (*)(const ForeignNode& foreign, GraphBuilder& graph);

// "This operator is read from that one": the row that importers look up.
struct Foreign {
  Format format;
  std::string_view op;
  ForeignMap map =
      nullptr;  // null: same inputs, outputs and attributes under the operator's own name
};

}  // namespace lockstep
