#include "arith/arith_cmsis_nn.h"

namespace lockstep {
namespace {

constexpr Numerics numerics = tflm_numerics();

}  // namespace

extern constinit const Arithmetic arith_cmsis_nn = {
    .name = "cmsis-nn",
    .runtime = "TFLite Micro with CMSIS-NN 7.0 kernels, portable C and Helium alike",
    .version = "CMSIS-NN 99f736a6, TFLite Micro 90b983c2",
    .meaning =
        "as tflite-ref, but fully connected layers in fixed point, products by a double multiplier",
    .numerics = &numerics,
    .passes = tflm_passes,
    .unsupported = unsupported_by_tflm,
};

}  // namespace lockstep
