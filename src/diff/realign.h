#pragma once

#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "run/capture.h"

namespace lockstep {

// A recording that keeps every tensor in the other habit of axes (channels last where the model has
// them first, or the other way round) under the model's shape, or flat: its tensors are turned, and
// a sentence says so. That is read from the tensors that agree with `expected` when turned and do
// not as they stand: two at least, and four times as many as agree as they stand. "" and nothing
// changed otherwise.
std::string realign(const Graph& reference, std::span<const Sample> expected,
                    std::vector<Sample>& device);

}  // namespace lockstep
