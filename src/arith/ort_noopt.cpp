#include "arith/arith.h"
#include "num/ort_codes.h"
#include "num/ort_float.h"

namespace lockstep {
namespace {

constexpr Numerics numerics{
    .conv = &ort_requant,
    .dense = &ort_requant,
    .add = &ort_add,
    .mul = &ort_mul,
    .quantize = &ort_quantize,
    .average = &ort_average,
    .global_average = &ort_global_average,
    .sigmoid = &ort_sigmoid_table,
    .leaky_relu = &ort_leaky_relu_table,
    .softmax = &ort_softmax_codes,
    .to_real = ort_to_real,
    .real = {.sigmoid = ort_sigmoid,
             .tanh = ort_tanh,
             .exp = ort_exp,
             .softmax = ort_softmax,
             .matrix = ort_matrix,
             .convolution = ort_convolution,
             .window_mean = ort_window_mean,
             .plane_mean = ort_plane_mean,
             .reduce_sum = ort_reduce_sum},
};

}  // namespace

extern constinit const Arithmetic arith_ort_noopt = {
    .name = "ort-noopt",
    .runtime = "onnxruntime, CPU provider, graph optimizations disabled, x86-64 with AVX-512",
    .version = "1.30.0",
    .meaning = "the model as it is written: quantize and dequantize taken literally, in float32",
    .numerics = &numerics,
    .passes = {},
};

}  // namespace lockstep
