#include "arith/arith_cmsis_nn.h"

namespace lockstep {
namespace {

constexpr Numerics rounded_once() {
  Numerics n = tflm_numerics();
  n.conv = &cmsis_nn_conv_once;
  n.dense = n.dense_int16 = &cmsis_nn_dense_once;
  n.matmul = &cmsis_nn_dense_once;
  n.dense_by_channel = &cmsis_nn_dense_by_channel_once;
  n.state = &cmsis_nn_state_once;
  n.lstm = &cmsis_nn_lstm_once;
  n.add = &cmsis_nn_add_once;
  n.mul = &cmsis_nn_mul_once;
  return n;
}
constexpr Numerics numerics = rounded_once();

}  // namespace

extern constinit const Arithmetic arith_cmsis_nn_single = {
    .name = "cmsis-nn-single",
    .runtime = "TFLite Micro with CMSIS-NN kernels built with CMSIS_NN_USE_SINGLE_ROUNDING",
    .version = "CMSIS-NN 99f736a6, TFLite Micro 90b983c2",
    .meaning = "as cmsis-nn, but its own kernels round once, half up",
    .numerics = &numerics,
    .passes = tflm_passes,
    .unsupported = unsupported_by_tflm,
};

}  // namespace lockstep
