#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace lockstep {

// Where the time of a run goes: prints each step of the planned network with its least time of many
// runs, its multiply-accumulates, and their rate as a share of one core's peak; for each number of
// threads.
struct LayersRequest {
  std::string model, arithmetic;  // empty: the one of the model's format
  std::vector<int> threads = {1};
  std::uint64_t seed = 42;
};
Result<void> print_layers(const LayersRequest& request);

}  // namespace lockstep
