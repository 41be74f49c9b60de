#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace lockstep {

// The memories that an .mpool file describes (ST's tools write it; docs/generated-c.md): name,
// base, size, speed from throughput and latency, rights. Those that are switched off (no bytes) or
// cannot be written are named in `left_out`. Errors: not such a file, two pools of one name or on
// the same bytes, none to write to.
struct PoolFile {
  std::vector<Pool> pools;
  std::vector<std::string> left_out;
};
Result<PoolFile> read_pools(std::string_view text, const std::string& file);

}  // namespace lockstep
