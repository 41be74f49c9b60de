#pragma once

#include "kernel/kernel.h"
#include "kernel/kernel_stage.h"

namespace lockstep {

// Float convolutions in the order of summation of an arithmetic, many sums at once: every sum is
// the same sequence of rounded steps as in the operator's `eval`.
enum class SumOrder : std::uint8_t {
  fused,  // N30, N34, N36, N107: fma along k, each block of k anew, blocks added in order
  fours,  // N31: products rounded, four joined before they meet the sum
  loops,  // N76: products and sums rounded, one after the other
};

struct RealTile {
  const float* origin = nullptr;         // of row 0
  const std::int64_t* offset = nullptr;  // elements from origin to the k-th factor
  std::int64_t k = 0, block = 0;         // steps, and how many a block has
  std::int64_t step = 0;                 // elements from row to row
  const float* w = nullptr;              // [panel][k][lanes]
  std::int64_t panel = 0;                // elements from panel to panel
  const float* bias = nullptr;           // of the tile's first channel, null when absent
  std::int64_t channels = 0;             // valid ones
  float* out = nullptr;
  std::int64_t out_step = 0;
  // What the first block begins at, null: zero; `start_step` elements from row to row.
  const float* start = nullptr;
  std::int64_t start_step = 0;
  bool bias_first = false;  // the first block meets the bias, not the last
};

// One line of a depthwise convolution: out[i * channels + c] sums x[i * step + offset[t] + c] *
// w[t][c].
struct RealLine {
  const float* x;
  const std::int64_t* offset;
  std::int64_t taps = 0, block = 0, step = 0, positions = 0, channels = 0;
  const float* w;     // [tap][channels]
  const float* bias;  // null when absent
  float* out;
  const float* start = nullptr;  // of the first block, null: zero
};

struct RealSet {
  std::int64_t lanes = 8;
  int max_vecs = 1, max_rows[5] = {};
  void (*tile[2][17][5])(const RealTile&) = {};  // fused or not, rows, vecs
  void (*line[3])(const RealLine&) = {};         // by SumOrder
};

// Conv, and by the files named after them Gemm and MatMul, ConvTranspose, GRU, LSTM and RNN.
bool reals_fit(const KernelProblem& p);
std::unique_ptr<PreparedKernel> prepare_reals(const KernelProblem& p, const RealSet& set);

bool real_products_fit(const KernelProblem& p);
std::unique_ptr<PreparedKernel> prepare_real_products(const KernelProblem& p, const RealSet& set);
bool real_recurrent_fits(const KernelProblem& p);
std::unique_ptr<PreparedKernel> prepare_real_recurrent(const KernelProblem& p, const RealSet& set);
bool real_transposed_fits(const KernelProblem& p);
std::unique_ptr<PreparedKernel> prepare_real_transposed(const KernelProblem& p, const RealSet& set);
std::unique_ptr<PreparedKernel> prepare_transposed_from_bias(const KernelProblem& p,
                                                             const RealSet& set);

}  // namespace lockstep
