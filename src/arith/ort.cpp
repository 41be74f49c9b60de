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

constexpr std::string_view passes[] = {
    "store-folded-constants", "merge-equal-quantize", "remove-double-qdq", "fuse-matmul-add", "propagate-dequantize",
    "propagate-quantize", "quantize-bias", "drop-redundant-clip", "mark-unsigned-codes",
    "fuse-qdq-conv", "fuse-qdq-dense", "fuse-qdq-binary", "fuse-qdq-unary", "block-float-convolutions"};

}  // namespace

extern constinit const Arithmetic arith_ort = {
    .name = "ort",
    .runtime = "onnxruntime, CPU provider, all graph optimizations, x86-64 with AVX-512",
    .version = "1.30.0",
    .meaning = "quantize-dequantize groups fused into integer operators, as the runtime does by default",
    .numerics = &numerics,
    .passes = passes,
};

}  // namespace lockstep
