#include "num/softmax_fixed.h"

#include <algorithm>
#include <cmath>

#include "num/tflite_fixed.h"
#include "num/tflite_functions.h"

namespace lockstep {

FixedSoftmaxScale::FixedSoftmaxScale(const SoftmaxScales& s)
    : in(fixed_multiplier(std::min(s.beta * s.x_scale * (1 << 26), 2147483647.0))),
      least(-static_cast<int>(
          std::floor(31.0 * (1 << 26) / static_cast<double>(std::int64_t{1} << in.shift)))) {}

std::int32_t FixedSoftmaxScale::exponential(std::int32_t distance) const {
  return exp_of_negative(high_mul(wrap32(std::int64_t{distance} << in.shift), in.multiplier));
}

FixedSoftmax::FixedSoftmax(const SoftmaxScales& s) : low_(s.low), high_(s.high) {
  const FixedSoftmaxScale in(s);
  for (; inside_ < distances && -static_cast<int>(inside_) >= in.least; ++inside_) {
    term_[inside_] = in.exponential(-static_cast<std::int32_t>(inside_));
    share_[inside_] = divide_by_power(term_[inside_], 12);
  }
}

void FixedSoftmax::row(const std::byte* x, std::byte* y, std::int64_t count, std::int64_t step,
                       bool x_signed) const {
  const auto flip = static_cast<std::uint8_t>(x_signed ? 0x80 : 0);
  const auto code = [&](std::int64_t i) {
    return static_cast<std::uint8_t>(static_cast<std::uint8_t>(x[i * step]) ^ flip);
  };
  std::uint8_t greatest = 0;
  for (std::int64_t i = 0; i < count; ++i) greatest = std::max(greatest, code(i));
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i)
    sum += share_[static_cast<std::size_t>(greatest - code(i))];
  int power = 0;
  const std::int32_t inverse = reciprocal(sum, 12, power);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto distance = static_cast<std::size_t>(greatest - code(i));
    const std::int32_t product = high_mul(inverse, term_[distance]);
    const std::int32_t scaled =
        distance < inside_
            ? clamp_code(std::int64_t{divide_by_power(product, power + 31 - 8)} + low_, low_, high_)
            : low_;
    y[i * step] = static_cast<std::byte>(scaled);
  }
}

}  // namespace lockstep
