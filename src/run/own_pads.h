#pragma once

#include <optional>
#include <span>

#include "num/numerics.h"
#include "op/op.h"

namespace lockstep {

// A convolution of 8-bit codes behind a Pad: the same node over what the Pad reads, with the Pad's
// ends added to its own. Its sums are the same numbers, as the Pad writes nothing but the zero
// point, and on positions alone. Nothing where that does not hold; who else reads the Pad's result
// is not looked at. `constants` are by value.
std::optional<Node> with_own_pads(const Graph& g, const Numerics& num, NodeId conv,
                                  std::span<const Tensor* const> constants);

}  // namespace lockstep
