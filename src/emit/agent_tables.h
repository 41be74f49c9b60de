#pragma once

#include <string>

#include "base/error.h"

namespace lockstep {

// C that shows a generated network to Lockstep's agent (rt/agent): its tensors' names, types,
// shapes and scales, and a run that passes the observer on. `manifest` is the network's .json.
// Defines NAME_agent_network().
Result<std::string> agent_tables(const std::string& manifest);

}  // namespace lockstep
