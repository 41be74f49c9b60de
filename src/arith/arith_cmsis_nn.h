#pragma once

#include <string>

#include "arith/arith.h"
#include "arith/arith_tflite.h"
#include "num/cmsis_nn.h"
#include "num/lstm.h"

namespace lockstep {

// TFLite Micro with CMSIS-NN: the reference kernels but for N90 to N95.
constexpr Numerics tflm_numerics() {
  Numerics n = tflite_reference_numerics;
  n.conv_unsigned = nullptr;
  n.dense = n.dense_int16 = &cmsis_nn_dense;
  n.dense_by_channel = &cmsis_nn_dense_by_channel;
  n.lstm = &cmsis_nn_lstm;
  n.mul = &cmsis_nn_mul;
  n.sigmoid = &tflm_sigmoid;
  n.tanh = &tflm_tanh;
  n.bounded_relu = &tflm_bounded_relu;
  n.leaky_relu = &tflm_leaky_relu;
  n.abs = &tflm_abs;
  n.rsqrt = &tflm_rsqrt;
  n.softmax_wide = &tflm_softmax_wide;
  n.sums_bytes_unsigned = false;
  return n;
}

inline constexpr std::string_view tflm_passes[] = {"blocks-outside-are-code-zero"};

// What TFLite Micro has no kernel for, or computes in a way that is not imitated.
inline std::string unsupported_by_tflm(const NodeView& node) {
  const std::string& op = node.node.op;
  if (op == "SpaceToBatch" && node.attrs().integer("open", 0) != 0)
    return "TFLite Micro takes the batch of SPACE_TO_BATCH_ND from the file, which leaves it open";
  if (node.node.inputs.empty() || !node.has_input(0)) return "";
  const Value& x = node.input(0);
  if (!x.quant.quantized()) {
    const bool layer = op == "Conv" || op == "Gemm" || op == "SequenceLstm" || op == "SequenceRnn";
    const bool hybrid = layer && node.input_count() > 2 &&
                        ((node.has_input(1) && node.input(1).quant.quantized()) ||
                         (node.has_input(2) && node.input(2).quant.quantized()));
    return hybrid ? "TFLite Micro has no layers of float activations and coded weights" : "";
  }
  if (x.dtype == DType::u8 && (op == "Conv" || op == "Gemm"))
    return "TFLite Micro has no uint8 layers";
  const bool by_plane = op == "Conv" && node.attrs().text("weights", "") == "1HWO";
  if (x.dtype == DType::i16 && (op == "ConvTranspose" || by_plane) && node.has_input(2) &&
      node.input(2).dtype == DType::i32)
    return "TFLite Micro reads 32-bit biases of 16-bit depthwise and transposed convolutions as 64 "
           "bits";
  if (op == "SequenceLstm")
    for (const std::size_t i : {1u, 9u, 10u, 11u, 16u})  // input gate, peepholes, projection
      if (node.has_input(i) != (i == 1))
        return "TFLite Micro's LSTM on codes has neither coupled gates, peepholes nor a projection";
  return "";
}

}  // namespace lockstep
