#include "run/executor.h"

#include <algorithm>

#include "base/text.h"
#include "op/op.h"
#include "pass/pass.h"
#include "run/node_kernels.h"
#include "run/planned_run.h"
#include "run/sweep.h"

namespace lockstep {
namespace {

TensorInfo info_of(const Value& v) {
  return {v.dtype, v.shape, v.quant, v.origin};
}

bool recordable(const Graph& g, ValueId id) {
  const Value& v = g.value(id);
  return v.producer != no_id || v.folded || std::ranges::count(g.inputs(), id) > 0 || !v.constant;
}

Result<std::vector<ValueId>> wanted_values(const Graph& g, std::span<const std::string> names) {
  std::vector<ValueId> ids;
  if (names.empty()) {
    for (std::size_t i = 0; i < g.values().size(); ++i)
      if (recordable(g, static_cast<ValueId>(i))) ids.push_back(static_cast<ValueId>(i));
    return ids;
  }
  for (const std::string& name : names) {
    const ValueId id = g.find_value(name);
    if (id == no_id)
      return Error{g.file(), "no tensor '" + name + "'", "a tensor of the lowered graph",
                   "lockstep inspect lists them"};
    ids.push_back(id);
  }
  return ids;
}

}  // namespace

Result<Executor> Executor::make(const Graph& imported, const Arithmetic& arithmetic) {
  LOCKSTEP_TRY(Graph lowered, apply_passes(imported, arithmetic.passes));
  for (const Node& node : lowered.nodes()) {
    const NodeView view{lowered, node};
    LOCKSTEP_CHECK(check_node(view));
    const std::string why = arithmetic.unsupported ? arithmetic.unsupported(view) : "";
    if (!why.empty())
      return Error{view.where(), "not computed in " + std::string(arithmetic.name),
                   "another --arith", why};
  }
  Executor e;
  e.graph_ = std::make_shared<const Graph>(std::move(lowered));
  e.arithmetic_ = &arithmetic;
  e.sessions_ = std::make_shared<SessionCache>();
  e.kernels_ = std::make_shared<const NodeKernels>(*e.graph_, *arithmetic.numerics);
  return e;
}

Result<Capture> Executor::run(std::span<const Sample> inputs, std::span<const std::string> wanted,
                              const RunOptions& options) const {
  const Graph& g = *graph_;
  LOCKSTEP_TRY(const std::vector<ValueId> goals, wanted_values(g, wanted));
  Capture capture;
  capture.source = g.file();
  capture.arithmetic = arithmetic_->name;
  for (const ValueId id : goals) {
    capture.infos.emplace(g.value(id).name, info_of(g.value(id)));
    capture.order.push_back(g.value(id).name);
  }
  return run_planned(inputs, goals, options, std::move(capture));
}

// Planned once for these goals and changed nodes, and again for the next call that has them.
Result<Capture> Executor::run_planned(std::span<const Sample> inputs,
                                      const std::vector<ValueId>& goals, const RunOptions& options,
                                      Capture capture) const {
  PlannedRun run(*graph_, *arithmetic_, *kernels_, *sessions_, options);
  LOCKSTEP_TRY(capture.samples, run.run(inputs, goals));
  return capture;
}

Result<std::vector<Tensor>> Executor::run_node(NodeId id,
                                               std::span<const Tensor* const> inputs) const {
  const Node& node = graph_->node(id);
  std::vector<const Tensor*> in(node.inputs.size(), nullptr);
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (node.inputs[i] == no_id) continue;
    in[i] =
        i < inputs.size() && inputs[i] ? inputs[i] : graph_->value(node.inputs[i]).constant.get();
    if (!in[i])
      return Error{graph_->where(node),
                   "input '" + graph_->value(node.inputs[i]).name + "' is missing",
                   "every computed input", ""};
  }
  return evaluate_node(*graph_, id, *arithmetic_->numerics, *kernels_, in);
}

Result<Sample> Executor::run_from(const Sample& known, std::span<const std::string> wanted,
                                  const RunOptions& options) const {
  const Graph& g = *graph_;
  LOCKSTEP_TRY(const std::vector<ValueId> goals, wanted_values(g, wanted));
  std::map<ValueId, Tensor> given;
  for (const auto& [name, tensor] : known) {
    const ValueId id = g.find_value(name);
    if (id != no_id && !g.value(id).constant && tensor.dtype() == g.value(id).dtype &&
        tensor.count() == count_of(g.value(id).shape))
      given.emplace(id, tensor.reshaped(g.value(id).shape));
  }
  for (const State& s : g.states())
    if (!given.contains(s.in)) given.emplace(s.in, initial_state(g, s));
  PlannedRun run(g, *arithmetic_, *kernels_, *sessions_, options);
  return run.run_from(std::move(given), goals);
}

}  // namespace lockstep
