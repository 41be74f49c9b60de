#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace lockstep {

// One direction of a convolution: extent in, kernel, stride, elements of padding before, extent
// out.
struct ModelSide {
  std::int64_t in = 0, kernel = 0, stride = 1, before = 0, out = 0;
};

// A convolution or matrix product of the user's model with what surrounds it in a quantized graph.
struct ModelLayer {
  std::string node, op;
  std::string input, output;  // the quantized tensors that it begins with and ends in
  double x_scale = 0, y_scale = 0;
  std::int64_t x_zero = 0, y_zero = 0;  // of codes as the accelerator holds them: int8
  std::vector<double> w_scale;          // one for each output channel, or one
  std::vector<double> bias;  // in accumulator units (x_scale * w_scale), empty when absent
  bool bias_known = true, zero_known = true;  // false: only a program's own tables speak of it
  std::int64_t out_channels = 0;
  std::vector<std::int64_t> kernel_sum, kernel_squares, kernel_size,
      kernel_worst;  // of the codes, by output channel
  bool depthwise = false;
  ModelSide rows, columns;  // in == 0: not a convolution in two directions without dilation

  double multiplier(std::size_t k) const {
    return x_scale * w_scale[w_scale.size() == 1 ? 0 : k] / y_scale;
  }
};

// Every quantized Conv and Gemm with constant weights, in the order of the graph.
std::vector<ModelLayer> model_layers(const Graph& model);

}  // namespace lockstep
