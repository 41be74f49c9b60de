#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "arith/arith.h"
#include "ir/graph.h"
#include "run/capture.h"

namespace lockstep {

// What is kept between two samples of one run.
enum class StateMode : std::uint8_t { reset, keep };

// Replaces or changes what a node yields: called after (or instead of) the node's own evaluation.
// `in` are the node's inputs, `out` what the reference made of them; the hook may overwrite `out`.
// `previous` are the node's outputs of the sample before, empty in the first.
struct NodeHook {
  NodeId node = no_id;
  std::function<Result<void>(std::span<const Tensor* const> in, std::span<Tensor> out,
                             std::span<const Tensor> previous)>
      change;
  // Further values that the hook looks at: appended to `in`, null where not made before the node.
  std::vector<ValueId> also = {};
};

// Changes a network input before anything reads it. `previous` is the input of the sample before,
// null in the first; `fed` the whole sample as sent, for what the hook looks at beside its own
// input.
struct InputHook {
  ValueId input = no_id;
  std::function<Result<void>(Tensor& x, const Tensor* previous, const Sample& fed)> change;
};

struct RunOptions {
  StateMode state = StateMode::reset;
  std::vector<NodeHook> node_hooks;
  std::vector<InputHook> input_hooks;
};

class NodeKernels;
class SessionCache;

// The living definition: a graph lowered for one arithmetic, evaluated node by node with the
// operators' own meanings, or by kernels that yield the same bytes.
class Executor {
 public:
  // Lowers `imported` by the arithmetic's passes; an error names the node it cannot compute and
  // why.
  static Result<Executor> make(const Graph& imported, const Arithmetic& arithmetic);

  const Graph& graph() const { return *graph_; }  // lowered
  const NodeKernels& kernels() const { return *kernels_; }
  const Arithmetic& arithmetic() const { return *arithmetic_; }

  // Runs each sample (tensors by input name). Records the named values, all when `wanted` is empty:
  // every activation of the graph, inputs included, folded constants too.
  Result<Capture> run(std::span<const Sample> inputs, std::span<const std::string> wanted = {},
                      const RunOptions& options = {}) const;

  // One node from the given inputs (in node order; null takes the constant, or absent).
  Result<std::vector<Tensor>> run_node(NodeId node, std::span<const Tensor* const> inputs) const;

  // Every value named in `known` is taken from there instead of being computed; `wanted` are
  // computed from them and, where those are missing, from what stands before. The local test and
  // replays.
  Result<Sample> run_from(const Sample& known, std::span<const std::string> wanted,
                          const RunOptions& options = {}) const;

 private:
  std::shared_ptr<const Graph> graph_;
  Result<Capture> run_planned(std::span<const Sample> inputs, const std::vector<ValueId>& goals,
                              const RunOptions& options, Capture capture) const;

  std::shared_ptr<const NodeKernels> kernels_;
  std::shared_ptr<SessionCache> sessions_;
  const Arithmetic* arithmetic_ = nullptr;
};

// Checks names, shapes and types of a sample against the graph's inputs. Batched arrays are split:
// x of shape (S*n, ...) for an input (n, ...) makes S samples.
Result<std::vector<Sample>> samples_from(const Graph& graph, const Sample& arrays,
                                         const std::string& where);

}  // namespace lockstep
