#pragma once

#include <string>

#include "import/import.h"
#include "pass/stated_quants.h"

namespace lockstep {

// The model as the compiler took it: the user's file, or the compiler's optimized graph with the
// codes that stand beside it.
inline Result<Graph> import_npu_model(const std::string& path) {
  LOCKSTEP_TRY(Graph graph, import_model(path));
  return as_stated(std::move(graph));
}

}  // namespace lockstep
