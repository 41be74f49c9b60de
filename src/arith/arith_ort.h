#pragma once

#include "arith/arith.h"
#include "num/ort_codes.h"
#include "num/ort_float.h"
#include "num/ort_functions.h"

namespace lockstep {

// onnxruntime's policies and, in order, what its optimizer does.
inline constexpr Numerics ort_numerics{
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
             .functions = &ort_functions},
};

inline constexpr std::string_view ort_passes[] = {"store-folded-constants",
                                                  "fuse-pads",
                                                  "fuse-conv-constants",
                                                  "merge-equal-quantize",
                                                  "remove-double-qdq",
                                                  "fuse-matmul-add",
                                                  "propagate-quantize",
                                                  "propagate-dequantize",
                                                  "quantize-bias",
                                                  "cancel-transposes",
                                                  "drop-redundant-clip",
                                                  "mark-unsigned-codes",
                                                  "fuse-qdq-conv",
                                                  "fuse-qdq-dense",
                                                  "fuse-qdq-binary",
                                                  "fuse-qdq-unary",
                                                  "block-float-convolutions",
                                                  "block-float-pools",
                                                  "resize-channels-last"};

// Likewise with all optimizations, and what the optimizer makes that is not imitated.
std::string unsupported_by_optimized_ort(const NodeView& node);

// What the runtime refuses when it runs, as a sentence; else "".
std::string unsupported_by_ort(const NodeView& node);

}  // namespace lockstep
