#pragma once

#include "num/numerics.h"

namespace lockstep {

// What CMSIS-NN, and TFLM around it, round differently from TFLite's reference kernels.
// docs/numerics.md N90 to N94. `_once`: built with CMSIS_NN_USE_SINGLE_ROUNDING.
extern const RequantPolicy cmsis_nn_dense;  // N90
extern const RequantPolicy cmsis_nn_dense_by_channel;
extern const BinaryPolicy cmsis_nn_mul;            // N91
extern const TablePolicy tflm_sigmoid, tflm_tanh;  // N92
extern const TablePolicy tflm_bounded_relu;        // N94
extern const TablePolicy tflm_leaky_relu;          // N95
extern const TablePolicy tflm_abs;                 // N95
extern const TablePolicy tflm_rsqrt;               // N98
extern const SoftmaxPolicy tflm_softmax_wide;      // N98

extern const RequantPolicy cmsis_nn_conv_once, cmsis_nn_dense_once,
    cmsis_nn_dense_by_channel_once;  // N93
extern const BinaryPolicy cmsis_nn_add_once, cmsis_nn_mul_once;
extern const RequantPolicy cmsis_nn_state_once;

}  // namespace lockstep
