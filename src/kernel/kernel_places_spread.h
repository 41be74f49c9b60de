#pragma once

#include "kernel/kernel_places.h"

namespace lockstep {

inline constexpr std::int64_t most_places = 4096;  // elements of one call

// What is called over two operands of codes that are spread against each other.
struct SpreadCall {
  PlaceFunction function = nullptr;
  PlaceCall call;  // its `state` is left open: the next member's copy in the kernel
  BinaryState state;
  bool swapped = false;  // a of the call is the node's b
};
std::unique_ptr<PreparedKernel> prepare_spread(const KernelProblem& p, SpreadCall call);

}  // namespace lockstep
