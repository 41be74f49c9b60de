#pragma once

#include "kernel/kernel_dot.h"

namespace lockstep {

// Convolutions of one input and one output channel a group, channels last. A vector holds
// neighbouring channels, and neighbouring positions where the channels are fewer:
//
//   element  of x as staged: a byte, or a 16-bit word without zero point
//   vector   `bytes` / element outputs that lie together; `join` runs of them, `piece_step` apart
//   block    the weights and constants of a vector's channels; vector v of a line takes block
//            v % blocks
//   group    places of the input that one product instruction sums for one output: four bytes or
//            two words
//   rows     output lines computed together (1 or 2): both take their sums from the same groups
//
// Within a block, accumulator j holds element E * L + 4 * j + i of the vector in lane i of its
// 128-bit part L of E elements, as unpacking leaves them.
struct DepthwiseLine {
  const std::byte* x;        // of output 0
  const std::int64_t* taps;  // bytes to each place, `groups` groups of them
  std::int64_t groups = 0;
  std::int64_t piece_step = 0;           // bytes of x between the runs of a vector
  std::int64_t x_step = 0, y_step = 0;   // bytes from pixel to pixel (or group of `join` pixels)
  std::int64_t pixels = 0, vectors = 0;  // pixels (groups) of the line, vectors of each
  std::int64_t last_join = 0;            // runs of the last group of pixels; join when all are full
  std::int64_t pixel_count = 0;          // outputs of a pixel (or of the whole line)
  std::int64_t blocks = 0;
  std::int64_t block_bytes = 0;        // of w
  const std::byte* w = nullptr;        // [block][group][row][accumulator][bytes]
  const std::int32_t* bias = nullptr;  // [block][accumulator][bytes / 4], as all constants
  const float* factor = nullptr;
  const std::int32_t *multiplier = nullptr, *left = nullptr, *right = nullptr;
  std::int32_t y_zero = 0, low = 0, high = 0;
  bool y_signed = false;
  std::byte* out = nullptr;
  std::int64_t row_bytes = 0, y_size = 1;  // from line to line of the output; of an output
  // Sums that only the policy turns into codes: all accumulators of a block, `count` outputs.
  const void* owner = nullptr;
  void (*finish)(const DepthwiseLine& t, const std::int32_t* acc, std::int64_t block,
                 std::int64_t count, std::byte* out) = nullptr;
};

// Forms of lines: RequantForm float_nearest, fixed_twice, policy.
struct DepthwiseSet {
  std::int64_t bytes = 32;           // of a vector
  bool words = false, wide = false;  // as of DotSet
  // by form, log2 of join, the layout's rows - 1, rows computed - 1
  void (*line[3][3][2][2])(const DepthwiseLine&) = {};
  StageCodes stage = nullptr;
};

bool depthwise_fits(const KernelProblem& p, const DepthwiseSet& set);
std::unique_ptr<PreparedKernel> prepare_depthwise(const KernelProblem& p, const DepthwiseSet& set);

}  // namespace lockstep
