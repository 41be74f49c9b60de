#pragma once

#include <optional>
#include <vector>

#include "diff/local.h"

namespace lockstep {

// How far a tensor may lie from the reference when several operations before it were not captured
// and each of them rounds in its own legitimate way: simulated, not bounded. Each rounding
// operation of the cone has `share` of its codes moved one step up or down (floats: the last bits),
// seeded; the greatest difference and the greatest RMSE over `runs` such runs are the spread.
struct SimulatedSpread {
  double max_abs = 0, max_lsb = 0, rmse = 0;
  int operations = 0;  // that round
};
inline constexpr double spread_share = 0.05;
inline constexpr int spread_runs = 8;
inline constexpr std::size_t spread_samples = 4;

// Nothing when at most one operation of the cone rounds: a single one is judged by its tolerance.
// `distance`: how far the device's tensor is off in each sample; the farthest are simulated.
Result<std::optional<SimulatedSpread>> spread_of(const LocalTest& test, ValueId id,
                                                 const std::vector<double>& distance);

// Codes of `t` moved one step up or down at `spread_share` of its elements; floats in their last
// bits.
void move_some_codes(Tensor& t, std::uint64_t seed);
// A run in which every operation that rounds does so to its results.
RunOptions rounding_otherwise(const Graph& graph, std::uint64_t seed);

}  // namespace lockstep
