#pragma once

#include "num/real_functions.h"

namespace lockstep {

// onnxruntime's sums over axes (N39) and what it normalizes by them (N49).
void ort_reduce(RealReduction kind, std::span<const float> x, std::span<const std::int64_t> shape,
                std::span<const std::uint8_t> reduced, std::span<float> y);
void ort_normalize_row(std::span<const float> x, std::span<float> y, const float* scale,
                       const float* bias, float epsilon);
void ort_normalize_plane(std::span<const float> x, std::span<float> y, float scale, float bias,
                         float epsilon, std::int64_t offset);

// y[i,j] = sum over r of x[i,r,j]; x is [outer, reduced, inner], dense.
void ort_reduce_sum(const float* x, std::int64_t outer, std::int64_t reduced, std::int64_t inner,
                    float* y);

}  // namespace lockstep
