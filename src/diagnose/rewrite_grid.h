#pragma once

#include <cstdint>
#include <optional>

#include "diff/diff.h"
#include "num/numerics.h"

namespace lockstep {

// Where the numbers of a tensor may lie.
struct Grid {
  double step = 0;
  std::int32_t zero = 0;
  std::int64_t low = -128, high = 127;
  double most() const { return step * static_cast<double>(high - zero); }
};

// The grid on which a tensor's numbers lie: its own, or that of the codes it came from.
std::optional<Grid> grid_of(const Graph& g, ValueId id);
// The same of the codes made of a float result by the quantizer that reads it.
std::optional<Grid> grid_behind(const Graph& g, ValueId id);
// Those codes; the value itself when there are none.
ValueId codes_behind(const Graph& g, ValueId id);

// Every element moved to the nearest point of another grid, in the tensor's own type.
Tensor on_grid(const Tensor& x, const QuantParams& own, const Grid& grid,
               const QuantizePolicy& num);

}  // namespace lockstep
