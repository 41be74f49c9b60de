#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "num/numerics.h"

namespace lockstep {

// N63's exponential of distances to the greatest code, none of which is above 0.
struct FixedSoftmaxScale {
  explicit FixedSoftmaxScale(const SoftmaxScales& s);
  std::int32_t exponential(std::int32_t distance) const;  // Q0.31
  Rescale in;
  int least;  // what lies farther off counts nothing
};

// N63 of rows of 8-bit codes, code for code what tflite_softmax makes of them: an exponential for
// each distance to the greatest code, computed once.
class FixedSoftmax {
 public:
  explicit FixedSoftmax(const SoftmaxScales& s);
  // Elements `step` bytes apart.
  void row(const std::byte* x, std::byte* y, std::int64_t count, std::int64_t step,
           bool x_signed) const;

 private:
  static constexpr std::size_t distances = 256;
  std::array<std::int32_t, distances> term_{}, share_{};  // Q0.31; Q12.19
  std::size_t inside_ = 0;                                // distances whose terms count
  std::int32_t low_, high_;
};

}  // namespace lockstep
