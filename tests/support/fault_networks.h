#pragma once

#include <string_view>
#include <vector>

#include "support/fault_problem.h"

namespace lockstep::test {

// Small networks on which every fault of the table has a place. Nodes are named after their
// operator.

// Float picture [1,3,8,10] -> quantize -> conv1 (stride 2, relu) -> conv2 (dilation 2) -> add ->
// conv3 -> concat -> pool -> flatten -> gemm -> softmax -> dequantize; channel-first, per-channel
// weights.
Executor picture_network();
// Codes [1,8,6,12], channel-last: conv (ties: its multiplier is 1/8) -> relu; as a .tflite file
// would be.
Executor code_network();
// Codes [1,6,8,4] -> leaky (LeakyRelu) -> sigmoid.
Executor activation_network();
// state + x -> sum -> next state, on codes.
Executor state_network();
// BatchNormalization, then Resize (linear), on reals.
Executor real_network();

// a + b -> sum, its average -> gate (Sigmoid), sum times gate -> mul; two inputs of one shape, on
// codes [1,8,4,6].
Executor gate_network();

// Reals of this shape -> relu: for what befalls the input "x" alone.
Executor input_alone(Shape shape, const char* format = "onnx");

std::vector<Executor> fault_networks();

// A fault, a place of a network for it.
struct FaultCase {
  Executor (*network)();
  const char *fault, *place;
};

// Injects `fault` at `place` of the network and looks for it there: how many elements differ over
// three runs, and how many of these the best candidate of `by` leaves.
struct Outcome {
  Counts counts;
  Params params;
  bool found = false;
};
Outcome inject_and_explain(const Executor& network, std::string_view fault, std::string_view place,
                           std::string_view by);

}  // namespace lockstep::test
