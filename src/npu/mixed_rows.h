#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace lockstep {

// What the sums of a convolution change by in each row of its kernel when its features are `other`
// in place of `codes`, by [row][code of its output, channels first]. Empty where the layer is no
// convolution of one image in two directions of `input` with constant weights.
std::vector<std::vector<std::int64_t>> changes_by_row(const Graph& model, const std::string& node,
                                                      const std::string& input, const Tensor& codes,
                                                      const Tensor& other);

// Whether `result` is what a layer makes when the first rows of its kernel, or the last, take the
// other codes, or all (those alone unless `split`): `reference` moved by that part of `changes`
// (one for each row) times `multiplier`, at most `slack` codes from it. Saturated codes are open
// to their side.
bool is_of_mixed_rows(std::int64_t result, std::int64_t reference,
                      const std::vector<std::int64_t>& changes, bool split, double multiplier,
                      double slack);

}  // namespace lockstep
