#pragma once

#include <functional>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"

namespace lockstep {

// What an operation asks of memory beside its inputs and outputs.
struct NodeMemory {
  std::int64_t scratch = 0;  // bytes that live while it runs
  // `output` may stand in the place of `input` where nobody reads that afterwards; `same` says that
  // the bytes are the same ones, so that they may stand in one place even then.
  struct Share {
    std::size_t output = 0, input = 0;
    bool same = false;
    // The operation reads the input from front to back while it writes: the output may begin so
    // many bytes before the input and run over what has been read. 0: no.
    std::int64_t slide = 0;
  };
  std::vector<Share> shares = {};
};

// The buffers of a graph run in its order. A step is a node; inputs live from step 0, outputs to
// the last step, states throughout. Constants have none.
struct Lives {
  std::vector<Buffer> buffers;
  std::vector<int> of_value;  // by ValueId; -1: no buffer
  std::vector<int> scratch;   // by NodeId; -1: none
};
Lives live_ranges(const Graph& graph, const std::function<NodeMemory(NodeId)>& memory,
                  bool keep_inputs = false);

// Bytes of a tensor.
std::int64_t bytes_of(const Value& value);

}  // namespace lockstep
