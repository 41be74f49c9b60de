#include "arith/arith.h"
#include "num/tflite_policies.h"

namespace lockstep {
namespace {

constexpr Numerics numerics{
    .conv = &tflite_conv,
    .conv_unsigned = &tflite_conv_unsigned,
    .dense = &tflite_dense,
    .matmul = &tflite_matmul,
    .hybrid = &tflite_hybrid,
    .add = &tflite_add,
    .sub = &tflite_sub,
    .mul = &tflite_mul,
    .div = &tflite_div,
    .quantize = &tflite_quantize,
    .average = &tflite_average,
    .global_average = &tflite_mean,
    .softmax = &tflite_softmax,
};

}  // namespace

extern constinit const Arithmetic arith_tflite_ref = {
    .name = "tflite-ref",
    .runtime = "LiteRT, reference kernels (OpResolverType.BUILTIN_REF)",
    .version = "2.3.0",
    .meaning = "TFLite's reference kernels: fixed-point multipliers rounded twice, fully connected layers in double",
    .numerics = &numerics,
};

}  // namespace lockstep
