#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace lockstep {

// Sorts nodes so that every input is made before it is read (stable: the given order where it can
// stay), renews the values' producers. An error names a node in a cycle.
Result<void> sort_nodes(std::vector<Value>& values, std::vector<Node>& nodes,
                        const std::string& file);

}  // namespace lockstep
