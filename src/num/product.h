#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace lockstep {

// Convolutions and matrix products of codes in arithmetics whose constants follow from all kernels
// of a layer together, and whose sums are held in few bits between pieces of a kernel (Neural-ART).

// One layer. Weights are [kernel][row][column][channel] with zero points removed; a matrix product
// has one row and one column. Bias is in units of x_scale * w_scale[kernel], empty when absent.
struct ProductProblem {
  double x_scale = 1, y_scale = 1;
  std::int32_t x_zero = 0, y_zero = 0, y_low = -128, y_high = 127;
  std::span<const double> w_scale = {};  // one, or one for each kernel
  std::span<const std::int32_t> weights = {}, bias = {};
  std::int64_t kernels = 0, rows = 1, columns = 1, channels = 0, groups = 1;
  std::int64_t row_stride = 1, column_stride = 1;
  std::int64_t pixels = 1;  // of one output map
};

// A part of every kernel: its first row, column and channel, and how many of each.
struct ProductPiece {
  std::int64_t row = 0, rows = 1, column = 0, columns = 1, channel = 0, channels = 1;
};

// The layer's constants. run = add(run, sum of a piece), piece by piece; code = leave(run, kernel).
struct ProductPlan {
  std::vector<ProductPiece>
      pieces;  // in the order of summation; empty: computed elsewhere, by `conv` or `dense`
  int sum_shift = 0, product_shift = 0, final_shift = 0, fraction_bits = 0;
  std::int32_t common = 0;
  std::int32_t offset = 0;               // of the codes to those that the units hold: 128 for uint8
  std::vector<std::int32_t> multiplier;  // by kernel
  std::vector<std::int64_t> constant;    // by kernel: bias and zero point
};

struct ProductPolicy {
  std::string_view name;
  ProductPlan (*prepare)(const ProductProblem& problem);
  std::int64_t (*add)(std::int64_t run, std::int64_t sum, const ProductPlan& plan);
  std::int32_t (*leave)(std::int64_t run, std::size_t kernel,
                        const ProductPlan& plan);  // not clamped
};

}  // namespace lockstep
