#pragma once

#include "emit/node.h"
#include "op/op_window.h"

namespace lockstep {

// Extents of a convolution's window, from its weights.
std::vector<std::int64_t> window_kernel(const NodeView& v);
// Window of at most two axes; the error of a third.
Result<Window> flat_window(const NodeWriter& w, const std::vector<std::int64_t>& kernel);
Result<void> takes_two_axes(const NodeWriter& w, const Window& g);
bool is_flat(const Window& g);
// Whether some window lies in the padding alone.
bool sees_nothing(const Window& g);
// How far before its input an output of `outputs` channels must begin, when blocks of three
// positions are read whole and then written: nothing that a later block reads may have been written
// over. 0: it may not.
std::int64_t slide_of(const NodeView& v, const std::vector<std::int64_t>& kernel,
                      std::int64_t outputs);
NodeMemory with_slide(NodeMemory m, std::int64_t slide);
// The C initializer of an ls_window.
std::string window_text(const Window& g, std::int64_t outputs);
// The field window and, of three axes, depth.
void write_window(NodeWriter& w, const Window& g, std::int64_t outputs);

// Weights as [output channel][tap][channel of the group], whatever order the file has; codes less
// 128 where uint8.
struct Filters {
  std::int64_t outputs = 0, channels = 0, group = 1;
  std::vector<std::int64_t> kernel, codes;
  std::vector<float> reals;  // instead of codes
};
Filters filters_of(const NodeView& v);

// Codes of weights and their zero point moved together, so that the zero point is 0 or no code is
// -128, where all of them fit; the zero point that is left. Two products of such codes fit in 16
// bits.
std::int64_t centred(std::vector<std::int64_t>& codes, std::int64_t zero);
// The same of weights [outputs][...] whose zero points stand in `quant`, each output by itself
// where they differ.
struct WeightZeros {
  std::int64_t all = 0;
  std::vector<std::int64_t> each;  // not empty: all is 0
  std::int64_t of(std::int64_t output) const {
    return each.empty() ? all : each[static_cast<std::size_t>(output)];
  }
};
WeightZeros centred_weights(std::vector<std::int64_t>& codes, std::int64_t outputs,
                            const Value& weights);
// The fields w_zero and, where there is one for each output, w_zeros.
void write_weight_zeros(NodeWriter& w, const WeightZeros& zeros);

// A float32 convolution in plain order (forward where !transposed): fields group written before.
Result<void> write_real_window(NodeWriter& w, const Window& g, std::span<const double> weights,
                               std::int64_t outputs, bool transposed);

}  // namespace lockstep
