#pragma once

#include "num/numerics.h"

namespace lockstep {

// The policies of TFLite's reference kernels (LiteRT, BUILTIN_REF). docs/numerics.md N50 to N77.
extern const RequantPolicy tflite_conv;               // N55
extern const RequantPolicy tflite_conv_unsigned;      // N56
extern const RequantPolicy tflite_dense;              // N57
extern const RequantPolicy tflite_matmul;             // N77
extern const BinaryPolicy tflite_add, tflite_sub;     // N59
extern const BinaryPolicy tflite_mul;                 // N60
extern const BinaryPolicy tflite_div;                 // N74
extern const BinaryPolicy tflite_squared_difference;  // N75
extern const BinaryPolicy tflite_prelu;               // N66
extern const RequantPolicy tflite_state;              // N70
extern const QuantizePolicy tflite_quantize;          // N65
extern const AveragePolicy tflite_average;            // N61
extern const AveragePolicy tflite_mean;               // N62
extern const AveragePolicy tflite_sum;                // N62
extern const SoftmaxPolicy tflite_softmax;            // N63
extern const SoftmaxPolicy tflite_softmax_wide;       // N72
extern const SoftmaxPolicy tflite_log_softmax;        // N73
extern const SoftmaxPolicy tflite_l2_normalization;   // N71
extern const HybridPolicy tflite_hybrid;              // N69
// N64; of 16-bit codes N72.
extern const TablePolicy tflite_sigmoid, tflite_tanh, tflite_exp, tflite_log, tflite_elu,
    tflite_gelu, tflite_gelu_tanh;
extern const TablePolicy tflite_bounded_relu, tflite_leaky_relu;  // N66
extern const TablePolicy tflite_hard_swish;                       // N67
extern const TablePolicy tflite_abs, tflite_neg, tflite_sqrt;
extern const TablePolicy tflite_rsqrt;  // N71

// N78: CONCATENATION of uint8 codes under another scale.
std::int32_t tflite_joined(std::int32_t code, const AverageScales& s);

// LiteRT's sigmoid of a float: e^x below -9, 1 above 16.6.
float tflite_float_sigmoid(float x);

}  // namespace lockstep
