#pragma once

#include <bit>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flatbuffers/tflite_generated.h"
#include "import/tflite_variables.h"
#include "ir/graph.h"
#include "op/op.h"

namespace lockstep {

// Files hold little-endian numbers, which are taken over as they are.
static_assert(std::endian::native == std::endian::little);

// How much the called subgraphs of one file have had read so far: all readers of the file count
// here, since calls inside calls multiply.
struct TfliteCalls {
  std::size_t read = 0;  // subgraphs, their tensors and operators
};

// One subgraph of one file on its way into a graph. The subgraphs that an operator calls are read
// into the same graph.
struct TfliteReader {
  const std::string& path;
  std::span<const std::byte> bytes;
  const tfl::Model& model;
  const tfl::SubGraph& main;
  GraphBuilder& graph;
  TfliteVariables& variables;
  TfliteCalls& called;
  std::string prefix = {};        // of names: "" in the first subgraph
  int depth = 0;                  // subgraphs around this one
  std::vector<ValueId> ids = {};  // by tensor index; no_id where the type is unknown
  std::vector<bool> made = {};    // by tensor index: some operator makes it
  std::vector<bool> inner =
      {};  // by tensor index: only says the scale of a number inside an operator
  std::vector<bool> met =
      {};  // by tensor index: some operator, or the graph itself, reads or makes it
  std::map<std::int64_t, std::vector<ValueId>> constants_of =
      {};  // by called subgraph: constants that its repetitions share

  const tfl::Tensor& tensor(std::size_t i) const {
    return *main.tensors()->Get(static_cast<flatbuffers::uoffset_t>(i));
  }
  std::string tensor_where(std::size_t i) const;

  // tflite_tensors.cpp. Every tensor becomes a value, but those that `ids` names already.
  Result<void> read_tensors();
  // Contents of a tensor of another subgraph; null when it is computed.
  Result<std::shared_ptr<const Tensor>> constant_elsewhere(const tfl::SubGraph& sub,
                                                           std::int32_t i) const;
  Result<QuantParams> quantization(std::size_t i, const Shape& shape) const;

  // tflite_operators.cpp
  Result<void> read_operators();
  Result<std::vector<ValueId>> operands(const flatbuffers::Vector<std::int32_t>* list,
                                        const std::string& where) const;

  // tflite_subgraphs.cpp. Operators that call subgraphs.
  static bool calls(std::string_view operator_name);
  Result<void> read_call(const tfl::Operator& op, std::string_view name, const std::string& where);

 private:
  std::vector<std::string> tensor_names() const;
  void find_made();
  Result<std::span<const std::byte>> contents(std::size_t i) const;
  Result<std::shared_ptr<const Tensor>> constant(std::size_t i, DType dtype,
                                                 const Shape& shape) const;
  Result<void> read_tensor(std::size_t i, const std::string& name);
  std::int64_t filter_axis(const tfl::Operator& op, const std::string& name) const;
  bool has_narrow_filter(const tfl::Operator& op, const std::string& name) const;
  Result<void> read_intermediates(const tfl::Operator& op, ForeignNode& node) const;
  Result<void> read_operator(std::size_t i);
  Result<void> read_custom(const tfl::Operator& op, const std::string& code,
                           ForeignNode& node) const;
  Result<void> add_foreign(const ForeignNode& node, const std::string& place);
  Result<std::vector<ValueId>> read_subgraph(std::int64_t index, std::span<const ValueId> given,
                                             std::span<const ValueId> wanted,
                                             const std::string& name, const std::string& where);
  Result<void> read_if(const Attrs& options, const std::vector<ValueId>& in,
                       const std::vector<ValueId>& out, const std::string& where);

  // tflite_while.cpp
  Result<void> read_while(const Attrs& options, const std::vector<ValueId>& in,
                          const std::vector<ValueId>& out, const std::string& where);
  void keep_constants(std::int64_t index, const TfliteReader& read);
  Result<void> hand_on(ValueId from, ValueId to, const std::string& where);
};

}  // namespace lockstep
