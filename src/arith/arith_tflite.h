#pragma once

#include "num/lstm.h"
#include "num/tflite_policies.h"

namespace lockstep {

// N55: where LiteRT checks.
inline constexpr const char* off_centre_refused =
    "LiteRT refuses int8 weights of a zero point other than 0";

// The policies of TFLite's reference kernels together; arithmetics that differ in some start from
// here.
inline constexpr Numerics tflite_reference_numerics{
    .conv = &tflite_conv,
    .conv_unsigned = &tflite_conv_unsigned,
    .dense = &tflite_dense,
    .state = &tflite_state,
    .lstm = &tflite_lstm,
    .matmul = &tflite_matmul,
    .hybrid = &tflite_hybrid,
    .add = &tflite_add,
    .sub = &tflite_sub,
    .mul = &tflite_mul,
    .div = &tflite_div,
    .squared_difference = &tflite_squared_difference,
    .prelu = &tflite_prelu,
    .quantize = &tflite_quantize,
    .average = &tflite_average,
    .sum = &tflite_sum,
    .sums_bytes_unsigned = true,
    .global_average = &tflite_mean,
    .sigmoid = &tflite_sigmoid,
    .tanh = &tflite_tanh,
    .leaky_relu = &tflite_leaky_relu,
    .hard_swish = &tflite_hard_swish,
    .exp = &tflite_exp,
    .log = &tflite_log,
    .elu = &tflite_elu,
    .gelu = &tflite_gelu,
    .gelu_tanh = &tflite_gelu_tanh,
    .bounded_relu = &tflite_bounded_relu,
    .abs = &tflite_abs,
    .neg = &tflite_neg,
    .sqrt = &tflite_sqrt,
    .rsqrt = &tflite_rsqrt,
    .softmax = &tflite_softmax,
    .log_softmax = &tflite_log_softmax,
    .l2_normalization = &tflite_l2_normalization,
    .softmax_wide = &tflite_softmax_wide,
    .real = {.in_order = true, .sigmoid = tflite_float_sigmoid},
};

}  // namespace lockstep
