#pragma once

#include <cstdint>

namespace lockstep {

// Functions on fixed-point numbers as gemmlowp and TFLite compute them. Qi.f is an int32 with i
// integer bits: real = raw / 2^(31-i). docs/numerics.md N63, N71, N73.

// exp(a), a <= 0 with `integer_bits` (at most 5) integer bits, result in Q0.31.
std::int32_t exp_of_negative(std::int32_t a, int integer_bits = 5);

// 1 / (1 + x) and (1 - x) / (1 + x), x in [0, 1] of Q0.31, results in Q0.31.
std::int32_t inverse_of_one_plus(std::int32_t x);
std::int32_t quotient_of_one_minus(std::int32_t x);

// 1 / (1 + e^-x) and tanh(x) of a 16-bit number with `integer_bits` (at most 6) integer bits,
// results in Q0.15 (N96).
std::int16_t logistic_16(std::int16_t x, int integer_bits);
std::int16_t tanh_16(std::int16_t x, int integer_bits);

// 1 / x for x > 0 with `integer_bits` integer bits: Q0.31 significand and the power of two that the
// result is to be divided by.
std::int32_t reciprocal(std::int32_t x, int integer_bits, int& power);

// log(x), x >= 1 in Q12.19, result in Q5.26.
std::int32_t log_of_sum(std::int32_t x);

// 1 / sqrt(x) as multiplier and (negative) shift of rescale_twice; x >= 0.
void inverse_sqrt(std::int32_t x, std::int32_t& multiplier, int& shift);

}  // namespace lockstep
