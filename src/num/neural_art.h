#pragma once

#include "num/numerics.h"
#include "num/product.h"

namespace lockstep {

// How ST's compiler lowers int8 layers onto Neural-ART, from the model alone. docs/neural-art.md,
// "Constants", says which of these reproduce captures of boards.
extern const ProductPolicy neural_art_product;  // convolutions and dense layers
extern const RequantPolicy neural_art_requant;  // products of two computed operands: rounded once
extern const BinaryPolicy neural_art_add, neural_art_sub, neural_art_mul;
extern const QuantizePolicy neural_art_quantize;  // codes to codes; reals as onnxruntime does
extern const AveragePolicy neural_art_average;    // over a window or a whole plane

// ratio = A / 2^shift with A in [2^14, 2^15).
struct NpuRatio {
  std::int64_t a = 0;
  int shift = 0;
};
NpuRatio npu_ratio(double ratio);

// Input channels that are summed before the running sum is rounded to 16 bits, of a layer of
// 1x1 kernels with so many outputs on an output map of so many pixels: what two compiled networks
// show.
std::int64_t npu_channels_in_a_pass(std::int64_t kernels, std::int64_t pixels);

}  // namespace lockstep
