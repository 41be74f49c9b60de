#pragma once

#include "kernel/kernel_dot.h"

namespace lockstep {

// Convolutions of one input and one output channel a group, channels last. A vector of bytes holds
// neighbouring channels, and neighbouring positions where the channels are fewer:
//
//   vector   `bytes` outputs that lie together; `join` runs of bytes / join, `piece_step` apart in
//   x block    the weights and constants of a vector's channels; vector v of a line takes block
//            v % blocks
//   quad     four places of the input: one product instruction sums them for one output
//   rows     output lines computed together (1 or 2): both take their sums from the same quads
//
// Within a block, accumulator j holds channel 16 * L + 4 * j + i of the vector in lane i of its
// 128-bit part L, as the unpacking of bytes leaves them.
struct DepthwiseLine {
  const std::byte* x;        // of output 0
  const std::int64_t* taps;  // bytes to each place, quads * 4 of them
  std::int64_t quads = 0;
  std::int64_t piece_step = 0;           // bytes of x between the runs of a vector
  std::int64_t x_step = 0, y_step = 0;   // bytes from pixel to pixel (or group of `join` pixels)
  std::int64_t pixels = 0, vectors = 0;  // pixels (groups) of the line, vectors of each
  std::int64_t last_join = 0;            // runs of the last group of pixels; join when all are full
  std::int64_t pixel_bytes = 0;          // outputs of a pixel (or of the whole line)
  std::int64_t blocks = 0;
  std::int64_t block_bytes = 0;        // of w
  const std::byte* w = nullptr;        // [block][quad][row][4][bytes]
  const std::int32_t* bias = nullptr;  // [block][4][bytes / 4], as all constants
  const float* factor = nullptr;
  const std::int32_t *multiplier = nullptr, *left = nullptr, *right = nullptr;
  std::int32_t y_zero = 0, low = 0, high = 0;
  bool y_signed = false;
  std::byte* out = nullptr;
  std::int64_t row_bytes = 0;  // from line to line of the output
};

struct DepthwiseSet {
  std::int64_t bytes = 32;  // of a vector
  // by form (float_nearest, fixed_twice), log2 of join, the layout's rows - 1, rows computed - 1
  void (*line[2][3][2][2])(const DepthwiseLine&) = {};
  StageCodes stage = nullptr;
};

bool depthwise_fits(const KernelProblem& p);
std::unique_ptr<PreparedKernel> prepare_depthwise(const KernelProblem& p, const DepthwiseSet& set);

}  // namespace lockstep
