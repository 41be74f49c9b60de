#pragma once

#include "num/real_functions.h"

namespace lockstep {

// onnxruntime's float functions on x86-64 with AVX-512: docs/numerics.md N31, N37 to N39, N47 to
// N49.
extern const RealFunctions ort_functions;

// N47: the exponential and the logarithm of vectors of four; a remainder of up to three is the C
// library's.
void ort_eigen_exp(std::span<const float> x, std::span<float> y);
void ort_eigen_log(std::span<const float> x, std::span<float> y);

// Sin, cos, asin, acos and atan of vectors of four, a remainder as above.
void ort_sin(std::span<const float> x, std::span<float> y, float, float);
void ort_cos(std::span<const float> x, std::span<float> y, float, float);
void ort_asin(std::span<const float> x, std::span<float> y, float, float);
void ort_acos(std::span<const float> x, std::span<float> y, float, float);
void ort_atan(std::span<const float> x, std::span<float> y, float, float);

// N103: the reset and the output gate of a GRU, the output of an RNN.
float ort_gru_reset(float x);
float ort_gru_output(float x);
float ort_rnn_output(float x);

// N39: the sum of contiguous elements that start `offset` elements behind a 16-byte boundary.
float ort_vector_sum(std::span<const float> x, std::int64_t offset);

}  // namespace lockstep
