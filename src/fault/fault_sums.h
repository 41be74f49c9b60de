#pragma once

#include <functional>
#include <span>
#include <vector>

#include "fault/fault_weights.h"

namespace lockstep {

// The sums of a Conv or Gemm on codes, product by product, for faults that depend on their order.
struct Term {
  std::int32_t x, w;  // codes as stored
};
enum class TermOrder : std::uint8_t {
  channel_last,
  channel_first
};  // which of tap and channel runs faster

// Replays the node with acc' = f(terms) (+ zero point corrections and bias, exact) for every output
// element: f gets the terms inside the input in order and returns their sum of x*w as the device
// has it. An error for what it does not take apart (MatMul of higher rank, codes of 16 bits).
// `padded`: taps in the padding are terms as well, with the zero point.
bool has_terms(const Site& site);
Result<void> resum(Replay& r, TermOrder order,
                   const std::function<std::int64_t(std::span<const Term>)>& f,
                   bool padded = false);
// The same where f begins with the bias of the channel and takes care of it itself.
Result<void> resum_from_bias(
    Replay& r, TermOrder order,
    const std::function<std::int64_t(std::span<const Term>, std::int64_t bias)>& f,
    bool padded = false);

}  // namespace lockstep
