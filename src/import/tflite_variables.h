#pragma once

#include <functional>
#include <map>
#include <string>

#include "flatbuffers/tflite_generated.h"
#include "ir/graph.h"

namespace lockstep {

// TFLite's resource variables (VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE, and CALL_ONCE, which
// gives them their first contents). They are no operations on tensors: each variable that an
// inference reads before it writes becomes a State of the graph; its starting contents are those of
// CALL_ONCE.
class TfliteVariables {
 public:
  // Contents of a constant tensor of that subgraph; null when it is computed.
  using ConstantOf =
      std::function<Result<std::shared_ptr<const Tensor>>(const tfl::SubGraph&, std::int32_t)>;

  static bool handles(std::string_view operator_name);

  // One operator of the main subgraph; `where` stands in errors, `ids` are the values by tensor
  // index.
  Result<void> read(const tfl::Model& model, const tfl::Operator& op, std::string_view name,
                    const std::string& where, const ConstantOf& constant_of,
                    std::span<const ValueId> ids, GraphBuilder& graph);
  // After the last operator: states for what was read, constants for what is never written.
  Result<void> finish(const std::string& where, GraphBuilder& graph) const;

 private:
  struct Variable {
    std::shared_ptr<const Tensor> initial;  // null: not given by CALL_ONCE
    ValueId before = no_id;                 // what the inference reads before it writes
    ValueId now = no_id;                    // what a read would give at this operator
  };
  Result<Variable*> variable(std::int32_t handle, const std::string& where);
  Result<void> once(const tfl::Model& model, const tfl::Operator& op, const std::string& where,
                    const ConstantOf& constant_of);
  Result<void> give(Variable& v, ValueId out, const std::string& where, GraphBuilder& graph) const;

  std::map<std::string, Variable> variables_;    // by container and shared name
  std::map<std::int32_t, std::string> handles_;  // by index of the handle's tensor
};

}  // namespace lockstep
