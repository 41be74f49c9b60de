#pragma once

#include "num/numerics.h"

namespace lockstep {

// How XNNPACK's quantized operators round on x86-64 (AVX-512), as LiteRT's delegate uses them.
// docs/numerics.md N80 to N89. Where the delegate leaves a node to LiteRT, TFLite's own policy
// answers.
extern const RequantPolicy xnnpack_requant;                     // N80
extern const BinaryPolicy xnnpack_add, xnnpack_sub;             // N81
extern const BinaryPolicy xnnpack_mul;                          // N82
extern const QuantizePolicy xnnpack_quantize;                   // N83
extern const QuantizePolicy litert_requantize_runs;             // N83, what the delegate leaves
extern const TablePolicy xnnpack_leaky_relu;                    // N84
extern const TablePolicy xnnpack_sigmoid, xnnpack_tanh;         // N85
extern const AveragePolicy xnnpack_mean, xnnpack_sum;           // N86
extern const ResizePolicy xnnpack_bilinear;                     // N87
extern const HybridPolicy xnnpack_hybrid;                       // N88
extern const SoftmaxPolicy litert_softmax, litert_log_softmax;  // N89
// What litert_softmax of 8-bit codes adds up, for all 256 distances, times 2^64
// (num/softmax_rows.h).
std::vector<float> litert_softmax_terms(const SoftmaxScales& scales);

}  // namespace lockstep
