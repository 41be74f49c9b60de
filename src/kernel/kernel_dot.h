#pragma once

#include <optional>

#include "kernel/kernel.h"
#include "kernel/kernel_stage.h"
#include "kernel/kernel_weights.h"
#include "num/requant_form.h"
#include "op/op_window.h"

namespace lockstep {

// Sums of products of codes: convolutions, and matrix products as convolutions of 1x1.
//
//   run      bytes of the input that lie together for one output: a window's row, all channels
//   group    what one broadcast of the input brings to all lanes: `fold` elements of 32 bits (4
//            bytes, or 2 words where the ISA has no byte product)
//   panel    output channels of one vector: its lanes / fold, as each has `fold` partial sums:
//            w[panel][group][lane][element]
//   tile     rows (output positions) x vecs (panels) accumulators that stay in registers
//
// Few output channels are folded: one broadcast then serves several products.

// How accumulators of `channels` outputs become codes; arrays are padded to whole panels.
struct DotFinish {
  RequantForm form = RequantForm::policy;
  const RequantPolicy* policy = nullptr;
  bool wide = false;  // the policy's `apply_wide`
  float (*to_real)(std::int32_t acc, double alpha, double a_scale, double b_scale) = nullptr;
  double alpha = 1, x_scale = 1;
  std::vector<double> w_scale;     // with to_real
  std::vector<std::int32_t> bias;  // what the sum starts from: in the tiles already
  std::vector<float> factor;       // float_nearest; to_real where the real is the sum times it
  std::vector<std::int32_t> multiplier, left, right;  // fixed_twice
  std::vector<Rescale> rescale;                       // policy
  std::int32_t y_zero = 0, low = 0, high = 0;
};

// A node as a convolution over x of channels-last layout.
struct DotProblem {
  Window window;                           // channels_last
  std::int64_t group = 1, ic = 1, oc = 1;  // ic per group, oc in all
  DType x = DType::u8;
  std::int32_t x_zero = 0;
  DotWeights w;
  std::vector<std::int32_t> bias;  // [oc]
  DotFinish finish;                // its arrays are [oc]
  DType y = DType::u8;             // f32: to_real; i32: the sums themselves
};

// Conv, Gemm or MatMul of 8-bit codes with constant weights; nothing where it is another case.
// `whole` false leaves the weights and what depends on the channel empty, for those who only ask.
// `wide`: of 16-bit activations (zero point 0) and 8-bit weights instead.
std::optional<DotProblem> dot_problem(const KernelProblem& p, bool whole, bool wide = false);
// MatMul of 8-bit codes of which b comes with a run, or stands in a stack: the product of one pair
// of matrices, without weights.
std::optional<DotProblem> computed_product(const KernelProblem& p);
// ConvTranspose of codes with constant weights, without what its window sees: all taps of a channel
// in one row.
std::optional<DotProblem> transposed_problem(const KernelProblem& p, bool whole, bool wide);
// Whatever 16-bit codes come, no partial sum leaves 32 bits.
bool sums_fit(const DotProblem& d);

struct DotTile {
  const std::byte* origin;       // of row 0
  const std::int64_t* groups;    // bytes from origin to each group
  std::int64_t group_count = 0;  // in the whole window
  std::int64_t step = 0;         // bytes from row to row
  std::int64_t tiles = 1;        // one behind the other
  const std::byte* w = nullptr;
  std::int64_t panel_bytes = 0;
  const std::int32_t* start = nullptr;  // what the sums of the tile's channels start from
  std::int32_t* acc = nullptr;          // [rows][channels of vecs panels, to whole vectors]
  bool far = false;                     // the layer's weights are more than the near caches hold
  // Rows lie one behind the other without gaps, and `start` is there for every row of the tile.
  bool dense = false;
};
// The sums of the bytes of windows, for weights whose zero points leave no signed bytes: the part
// that all weights of a channel have in common is taken out of them and meets this sum.
struct SumTile {
  const std::byte* origin;   // of row 0
  const std::int64_t* runs;  // bytes from origin to each run
  std::int64_t run_count = 0, length = 0, step = 0, rows = 0;
  const std::int32_t* common = nullptr;  // by channel
  std::int32_t* acc = nullptr;           // each row += its sum times `common`
  std::int64_t acc_step = 0;
};
struct FinishTile {
  const DotFinish* finish;
  std::int64_t first;       // index of the tile's first channel in the padded arrays
  const std::int32_t* acc;  // bias included
  std::int64_t acc_step, rows, channels;
  std::byte* out;
  std::int64_t out_step;  // bytes from row to row
  bool y_signed = false;
};

// Tiles of one fold.
struct DotFold {
  int max_vecs = 0;                          // 0: the ISA has no such tiles
  int max_rows[7] = {};                      // by vecs
  void (*tile[17][7])(const DotTile&) = {};  // by rows, vecs
};
// What an ISA brings.
struct DotSet {
  int lanes = 8;
  bool words = false;  // elements are 16 bits, zero points taken off; else x as unsigned bytes
  bool wide = false;   // for 16-bit activations; words
  DotFold fold[3];     // of 1, 2, 4
  void (*float_nearest)(const FinishTile&) = nullptr;
  void (*fixed_twice)(const FinishTile&) = nullptr;
  void (*by_factor)(const FinishTile&) = nullptr;  // to reals
  void (*add_sums)(const SumTile&) = nullptr;
  StageCodes stage = nullptr;
};

// One sum by the policy alone, to y of `type`.
void finish_sum(const DotFinish& f, std::size_t channel, std::int32_t acc, DType type,
                std::byte* y);

bool dot_fits(const KernelProblem& p, const DotSet& set);
std::unique_ptr<PreparedKernel> prepare_dot(const KernelProblem& p, const DotSet& set);

}  // namespace lockstep
