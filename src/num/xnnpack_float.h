#pragma once

#include <span>

#include "num/numerics.h"
#include "num/real_functions.h"

namespace lockstep {

// Float tensors as XNNPACK's microkernels for AVX-512 compute them. docs/numerics.md N107 to N109.
extern const RealFunctions xnnpack_functions;

// N107: a layer's sum begins at its bias and takes every product in by a fused step.
inline bool sums_from_bias(const Numerics& num) {
  return num.real.functions == &xnnpack_functions;
}

// N107: depthwise windows of so many taps at most go column by column, the others row by row.
inline constexpr std::int64_t xnnpack_most_column_taps = 25;

// start + a[0]*b[0] + a[step]*b[step] + ..., each product fused into the sum.
float fused_from(float start, const float* a, std::int64_t a_step, const float* b,
                 std::int64_t b_step, std::int64_t count);

// N88: a sum of codes under the scales of its row and its weights, onto the bias: fma(fl(sum *
// x_scale), w_scale, bias).
float fused_hybrid(float sum, float x_scale, float w_scale, float bias);

// N108: one row.
void xnnpack_float_softmax(std::span<const float> x, std::span<float> y);

// N109: y = factor * (sum of x over the axes marked in `reduced`).
void xnnpack_float_reduce(std::span<const float> x, std::span<const std::int64_t> shape,
                          std::span<const std::uint8_t> reduced, float factor, std::span<float> y);
// N109: nine taps of a window joined.
float xnnpack_float_nine(const float (&v)[9]);
// N109: neighbours y0x0, y1x0, y0x1, y1x1, shares of the second row and column.
float xnnpack_float_bilinear(const float (&v)[4], float down, float across);

}  // namespace lockstep
