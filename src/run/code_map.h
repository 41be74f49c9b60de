#pragma once

#include <vector>

#include "ir/graph.h"
#include "kernel/kernel_table.h"
#include "num/numerics.h"

namespace lockstep {

// What a value is when every element follows from the byte at the same place of another value (and
// from its channel): the whole chain of nodes between both is one table of 256 entries a channel.
struct CodeMap {
  ValueId source = no_id;  // no_id: nothing of the kind
  int axis = -1;           // along which the function differs; -1: it does not
};

// For every value of the graph. A byte tensor that is no function of another has no map.
// `constants` are by value, as NodeKernels knows them. No function goes through one of `stops`.
std::vector<CodeMap> code_maps(const Graph& graph, std::span<const Tensor* const> constants,
                               std::span<const ValueId> stops = {});

// The nodes that make `id` of the source of its map, in order.
std::vector<NodeId> nodes_between(const Graph& graph, std::span<const Tensor* const> constants,
                                  ValueId source, ValueId id);

// The table of value `id`, made by the operators' own `eval`; empty when one of them refuses.
CodeTable code_table(const Graph& graph, const Numerics& num,
                     std::span<const Tensor* const> constants, std::span<const CodeMap> maps,
                     ValueId id);

}  // namespace lockstep
