#pragma once

#include <optional>

#include "kernel/kernel.h"
#include "kernel/kernel_stage.h"
#include "num/requant_form.h"
#include "op/op_window.h"

namespace lockstep {

// Sums of products of codes: convolutions, and matrix products as convolutions of 1x1.
//
//   panel    `lanes` output channels side by side: w[panel][run][group][lane][element]
//   run      bytes of the input that lie together for one output: a window's row, all channels
//   group    the elements of one 32-bit lane: 4 bytes, or 2 words where the ISA has no byte product
//   tile     rows (output positions) x vecs (panels) accumulators that stay in registers

// How accumulators of `channels` outputs become codes; arrays are padded to whole panels.
struct DotFinish {
  RequantForm form = RequantForm::policy;
  const RequantPolicy* policy = nullptr;
  float (*to_real)(std::int32_t acc, double alpha, double a_scale, double b_scale) = nullptr;
  double alpha = 1, x_scale = 1;
  std::vector<double> w_scale;     // with to_real
  std::vector<std::int32_t> bias;  // what the sum starts from: in the tiles already
  std::vector<float> factor;       // float_nearest
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
  std::vector<std::int16_t> w;     // [oc][tap][ic], zero points taken off
  std::vector<std::int32_t> bias;  // [oc]
  DotFinish finish;                // its arrays are [oc]
  DType y = DType::u8;             // f32: to_real
};

// Conv, Gemm or MatMul of 8-bit codes with constant weights; nothing where it is another case.
// `with_weights` false leaves w empty.
std::optional<DotProblem> dot_problem(const KernelProblem& p, bool with_weights);

struct DotTile {
  const std::byte* origin;         // of row 0
  const std::int64_t* runs;        // bytes from origin to each run
  std::int64_t run_count, groups;  // groups in a run
  std::int64_t step;               // bytes from row to row
  const std::byte* w;
  std::int64_t panel_bytes;
  const std::int32_t* start;  // what the sums of the tile's channels start from
  std::int32_t* acc;          // [rows][vecs * lanes]
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

// What an ISA brings.
struct DotSet {
  int lanes = 8;
  bool words = false;  // elements are 16 bits, zero points taken off; else x as unsigned bytes
  int max_vecs = 1;
  int max_rows[5] = {};                      // by vecs
  void (*tile[17][5])(const DotTile&) = {};  // by rows, vecs
  void (*float_nearest)(const FinishTile&) = nullptr;
  void (*fixed_twice)(const FinishTile&) = nullptr;
  StageCodes stage = nullptr;
};

bool dot_fits(const KernelProblem& p, const DotSet& set);
std::unique_ptr<PreparedKernel> prepare_dot(const KernelProblem& p, const DotSet& set);

}  // namespace lockstep
