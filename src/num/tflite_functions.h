#pragma once

#include <cstdint>

namespace lockstep {

// Functions on fixed-point numbers as gemmlowp and TFLite compute them. Qi.f is an int32 with i
// integer bits: real = raw / 2^(31-i). docs/numerics.md N63, N71, N73.

// exp(a), a <= 0 in Q5.26, result in Q0.31.
std::int32_t exp_of_negative(std::int32_t a);

// 1 / x for x > 0 with `integer_bits` integer bits: Q0.31 significand and the power of two that the
// result is to be divided by.
std::int32_t reciprocal(std::int32_t x, int integer_bits, int& power);

// log(x), x >= 1 in Q12.19, result in Q5.26.
std::int32_t log_of_sum(std::int32_t x);

// 1 / sqrt(x) as multiplier and (negative) shift of rescale_twice; x >= 0.
void inverse_sqrt(std::int32_t x, std::int32_t& multiplier, int& shift);

}  // namespace lockstep
