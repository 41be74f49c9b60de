#pragma once

#include <span>
#include <string_view>

#include "ir/patch.h"

namespace lockstep {

// One named rewriting of a graph. `run` returns the edit (possibly empty);
// `repeat` runs it until empty.
struct Pass {
  std::string_view name;     // verb-object: "fuse-qdq-conv"
  std::string_view meaning;  // one sentence
  Result<Patch> (*run)(const Graph& graph);
  bool repeat = false;
};

// pass/pass.cpp: the one hand-kept list, readable from top to bottom
std::span<const Pass> pass_table();
const Pass* find_pass(std::string_view name);

// Applies the named passes in order, verifying after each; names in `without` are left out.
Result<Graph> apply_passes(Graph graph, std::span<const std::string_view> names,
                           std::span<const std::string_view> without = {});

}  // namespace lockstep
