#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "import/import.h"
#include "import/onnx_proto.h"
#include "ir/foreign.h"

namespace lockstep {

// Which tensor a name means in one graph of the file: names of inner graphs see those outside.
struct OnnxScope {
  const OnnxScope* outer = nullptr;
  std::string prefix;  // of tensor and node names made here; "" in the model's own graph
  std::unordered_map<std::string, ValueId> names = {};
  // Names that tensors made here get instead of prefix + name: outputs of an inner graph carry the
  // names that the outer graph gives them.
  std::unordered_map<std::string, std::string> outward = {};

  ValueId find(const std::string& name) const;
};

// Walks one ModelProto and builds the graph. Knows operators only through the registry; control
// flow is its own business (onnx_control.cpp).
class OnnxReader {
 public:
  // `open_extent` stands for every extent that neither the file nor the options say.
  OnnxReader(std::string file, const ImportOptions& options, const onnx::ModelProto& model,
             std::int64_t open_extent);
  Result<Graph> read();  // once
  bool guessed_extents() const { return guessed_; }

 private:
  using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

  Result<void> read_opsets();
  Result<void> read_initializers(const onnx::GraphProto& graph, OnnxScope& scope);
  Result<void> read_inputs(const onnx::GraphProto& graph, OnnxScope& scope);
  Result<void> read_nodes(const Nodes& nodes, OnnxScope& scope);
  Result<void> read_node(const onnx::NodeProto& node, OnnxScope& scope);
  Result<void> read_operator(const onnx::NodeProto& node, OnnxScope& scope);
  Result<void> read_constant(const onnx::NodeProto& node, OnnxScope& scope);
  Result<std::vector<ValueId>> inputs_of(const onnx::NodeProto& node, const OnnxScope& scope) const;
  Result<ValueId> declare(const onnx::NodeProto& node, const std::string& name, OnnxScope& scope);
  // Of a node whose file names only later ones: every node here has a first output.
  ValueId unnamed_output(const onnx::NodeProto& node, const OnnxScope& scope);
  Result<Shape> shape_of(const onnx::ValueInfoProto& info);
  std::int64_t extent_of(const std::string& name, const std::string& place);
  Result<void> check_dimensions() const;
  Result<void> check_half(const ForeignNode& foreign) const;
  // onnx_quantizers.cpp: whether the node makes or reads codes of four bits; an error where
  // output_dtype is no type of codes or not the zero point's; whether it makes `output` of a Gemm's
  // bias [1, n] whose n scales are said to lie along axis 0, as some quantizers write it (the
  // runtime's Gemm of codes reads the codes alone).
  bool is_narrow(const ForeignNode& foreign) const;
  Result<void> check_code_type(const ForeignNode& foreign) const;
  bool is_bias_row(const ForeignNode& foreign, const std::string& output) const;
  void note_quantization(const ForeignNode& foreign);
  void note_layout(NodeId first);
  void spread_layout();

  // Control flow with what is constant, written out (onnx_control.cpp).
  Result<void> unroll_scan(const onnx::NodeProto& node, OnnxScope& scope);
  Result<void> unroll_loop(const onnx::NodeProto& node, OnnxScope& scope);
  Result<void> inline_if(const onnx::NodeProto& node, OnnxScope& scope);
  Result<void> inline_function(const onnx::NodeProto& node, const onnx::FunctionProto& function,
                               OnnxScope& scope);
  Result<std::vector<ValueId>> read_body(const onnx::GraphProto& body, OnnxScope& inner);
  Result<ValueId> step_of(const onnx::NodeProto& node, ValueId sequence, std::int64_t axis,
                          std::int64_t step, const std::string& prefix);
  Result<void> stack(const onnx::NodeProto& node, const std::string& name,
                     const std::vector<ValueId>& steps, std::int64_t axis, OnnxScope& scope);
  Result<void> bind(const onnx::NodeProto& node, const std::string& name, ValueId id,
                    OnnxScope& scope);
  Result<ValueId> add_op(const onnx::NodeProto& node, const char* op, std::vector<ValueId> inputs,
                         Attrs attrs, const std::string& output);
  ValueId add_constant(const std::string& name, Tensor tensor);
  std::string node_name(const onnx::NodeProto& node, const OnnxScope& scope) const;
  std::string where(const onnx::NodeProto& node, const OnnxScope& scope) const;
  Result<const onnx::GraphProto*> graph_attribute(const onnx::NodeProto& node,
                                                  std::string_view name,
                                                  const OnnxScope& scope) const;

  std::string file_;
  const ImportOptions& options_;
  const onnx::ModelProto& model_;
  std::int64_t open_extent_;
  bool guessed_ = false;           // open_extent was used
  std::vector<std::string> open_;  // what --dim may name
  GraphBuilder graph_;
  std::map<std::string, std::int64_t> opsets_;  // by domain, "" for ONNX's own
  std::set<ValueId> four_bit_;                  // constants of uint4 or int4
  std::int64_t unrolled_ = 0;                   // nodes made by unrolling, bounded
  int depth_ = 0;                               // of inner graphs
};

}  // namespace lockstep
