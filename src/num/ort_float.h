#pragma once

#include <cstdint>
#include <span>

#include "num/numerics.h"

namespace lockstep {

// Float kernels as onnxruntime computes them on x86-64 with AVX-512: which products are fused, in
// which order sums are taken, where a long sum is cut into blocks. docs/numerics.md N30 to N39.
void ort_matrix(const MatrixProblem& p);
// N112: products with stored codes of 4 bits.
void ort_product_of_codes(const MatrixProblem& p);
void ort_convolution(const ConvolutionProblem& p);
void ort_window_mean(const WindowMeanProblem& p);
// N39: whether the window is all of the input, and whether its means go by the sums of columns.
bool ort_mean_is_whole(const WindowMeanProblem& p);
bool ort_means_by_columns(const WindowMeanProblem& p);
void ort_plane_mean(const float* x, std::int64_t planes, std::int64_t count, float* y);
float ort_sigmoid(float x);
float ort_tanh(float x);
float ort_exp(float x);
void ort_softmax(std::span<const float> x, std::span<float> y);
void ort_log_softmax(std::span<const float> x, std::span<float> y);

// The matrix product behind convolutions and products of two computed operands: leading extents,
// and only part of the operands (N30, N31, N32).
struct OrtGemm {
  std::int64_t m, n, k;
  const float* a;
  std::int64_t lda;
  const float* b;
  std::int64_t ldb;
  float* c;
  std::int64_t ldc;
  bool a_transposed = false, b_transposed = false;
  bool add = false;  // c = c + a*b
};
void ort_gemm(const OrtGemm& g);
// N30: fused along k from zero within blocks of `block`, blocks added in order.
void ort_blocked_product(const OrtGemm& g, std::int64_t block);

}  // namespace lockstep
