#include "pass/pass.h"

#include <algorithm>

namespace lockstep {
namespace {

// Read from top to bottom: the order in which arithmetics name them.
constexpr std::span<const Pass> passes{};

}  // namespace

std::span<const Pass> pass_table() { return passes; }

const Pass* find_pass(std::string_view name) {
  const auto it = std::ranges::find(passes, name, &Pass::name);
  return it == passes.end() ? nullptr : &*it;
}

Result<Graph> apply_passes(Graph graph, std::span<const std::string_view> names,
                           std::span<const std::string_view> without) {
  for (const std::string_view name : names) {
    if (std::ranges::find(without, name) != without.end()) continue;
    const Pass* pass = find_pass(name);
    if (!pass) return Error{graph.file(), "pass '" + std::string(name) + "'", "a row of the pass table", ""};
    for (bool again = true; again;) {
      LOCKSTEP_TRY(const Patch patch, pass->run(graph));
      again = pass->repeat && !patch.empty();
      if (patch.empty()) break;
      LOCKSTEP_TRY(Graph next, patch.apply());
      graph = std::move(next);
    }
  }
  return graph;
}

}  // namespace lockstep
