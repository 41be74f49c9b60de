#pragma once

#include "num/numerics.h"

namespace lockstep {

// How onnxruntime's integer operators round: in float32, ties to even. docs/numerics.md N20 to N29.
extern const RequantPolicy ort_requant;         // QLinearConv, QLinearMatMul, QGemm
extern const BinaryPolicy ort_add;              // QLinearAdd
extern const BinaryPolicy ort_mul;              // QLinearMul
extern const QuantizePolicy ort_quantize;       // QuantizeLinear, DequantizeLinear, QLinearConcat
extern const AveragePolicy ort_average;         // QLinearAveragePool
extern const AveragePolicy ort_global_average;  // QLinearGlobalAveragePool
extern const TablePolicy ort_sigmoid_table;     // QLinearSigmoid
extern const TablePolicy ort_leaky_relu_table;  // QLinearLeakyRelu
extern const SoftmaxPolicy ort_softmax_codes;   // QLinearSoftmax

// N22 without an output scale.
float ort_to_real(std::int32_t acc, double alpha, double a_scale, double b_scale);
// What the sum is multiplied by.
float ort_real_factor(double alpha, double a_scale, double b_scale);

// N29: scale and zero point of unsigned 8-bit codes for reals from `low` (<= 0) to `high` (>= 0).
struct DynamicRange {
  float scale;
  std::int32_t zero;
};
DynamicRange dynamic_range(float low, float high);

// N41: one scale and zero point for two quantizations in a row: the reals that both can hold.
struct PairRange {
  float scale;
  std::int32_t zero;
};
PairRange merged_pair(const PairRange& first, const PairRange& second, std::int32_t low,
                      std::int32_t high);

// N42: a float bias as a 32-bit code of scale x_scale * w_scale.
std::int32_t bias_code(float bias, float scale);

}  // namespace lockstep
