#include "pass/dequantize.h"

#include <gtest/gtest.h>

#include "run/executor.h"

namespace lockstep {
namespace {

ValueId add(GraphBuilder& b, const std::string& name, Tensor tensor, bool constant,
            QuantParams quant = {}) {
  Value v;
  v.name = name;
  v.dtype = tensor.dtype();
  v.shape = tensor.shape();
  v.quant = std::move(quant);
  if (constant) v.constant = std::make_shared<const Tensor>(std::move(tensor));
  return b.add_value(std::move(v));
}

Tensor codes(std::vector<std::int8_t> c) {
  return Tensor::of<std::int8_t>({std::ssize(c)}, c);
}
Tensor reals(std::vector<float> r) {
  return Tensor::of<float>({std::ssize(r)}, r);
}

// x (float) -> QuantizeLinear -> q -> DequantizeLinear -> y
Graph quantized_and_back() {
  GraphBuilder b("m.onnx", "onnx");
  const ValueId x = add(b, "x", reals({0, 0, 0}), false),
                scale = add(b, "s", Tensor::scalar(0.5f), true);
  const ValueId zero = add(b, "z", Tensor::scalar<std::int8_t>(-128), true);
  const ValueId q = add(b, "q", codes({0, 0, 0}), false, {{0.5}, {-128}, -1}),
                y = add(b, "y", reals({0, 0, 0}), false);
  b.add_input(x);
  b.add_node({"quantize", "QuantizeLinear", {}, {x, scale, zero}, {q}, {}});
  b.add_node({"dequantize", "DequantizeLinear", {}, {q, scale, zero}, {y}, {}});
  b.add_output(y);
  return std::move(b).finish().value();
}

// x (codes) + c (codes) -> y (codes)
Graph sum_of_codes() {
  GraphBuilder b("m.tflite", "tflite");
  const ValueId x = add(b, "x", codes({0, 0}), false, {{0.5}, {1}, -1}),
                c = add(b, "c", codes({3, 5}), true, {{2}, {1}, -1});
  const ValueId y = add(b, "y", codes({0, 0}), false, {{0.1}, {0}, -1});
  b.add_input(x);
  b.add_node({"add", "Add", {}, {x, c}, {y}, {}});
  b.add_output(y);
  return std::move(b).finish().value();
}

Tensor run(const Graph& graph, Tensor x, const std::string& wanted) {
  const auto executor = Executor::make(graph, *find_arithmetic("float"));
  EXPECT_TRUE(executor.ok()) << executor.error().line();
  const Sample sample = {{"x", std::move(x)}};
  return executor->run({&sample, 1}, std::vector{wanted})->samples[0].at(wanted);
}

TEST(DequantizeGraph, drops_the_rounding_of_a_quantizer_and_keeps_its_range) {
  const Graph g = quantized_and_back();
  EXPECT_EQ(run(g, reals({-3, 0.3f, 999}), "y"), reals({0, 0.3f, 127.5f}));
  EXPECT_EQ(run(g, reals({-3, 0.3f, 999}), "q"), reals({0, 0.3f, 127.5f}));
}

// (code - 1) / 2 + {4, 8}, at most 12.7
TEST(DequantizeGraph, turns_operators_on_codes_into_operators_on_reals) {
  EXPECT_EQ(run(sum_of_codes(), codes({2, 101}), "y"), reals({4.5f, 12.7f}));
}

// x (codes of step 0.5) -> Requantize -> y (codes of step 0.25); held[before] + x -> held[after].
Graph requantized_sum_with_state() {
  GraphBuilder b("m.tflite", "tflite");
  const QuantParams coarse{{0.5}, {1}, -1}, fine{{0.25}, {0}, -1};
  const ValueId x = add(b, "x", codes({0, 0}), false, coarse),
                y = add(b, "y", codes({0, 0}), false, fine);
  const ValueId before = add(b, "before", codes({0, 0}), false, coarse),
                after = add(b, "after", codes({0, 0}), false, coarse);
  b.add_input(x);
  b.add_node({"requantize", "Requantize", {}, {x}, {y}, {}});
  b.add_node({"add", "Add", {}, {before, x}, {after}, {}});
  b.add_state({before, after, std::make_shared<const Tensor>(codes({3, -1}))});
  b.add_output(y);
  b.add_output(after);
  return std::move(b).finish().value();
}

// (100 - 1) / 2 is beyond 127 / 4
TEST(DequantizeGraph, a_requantizer_keeps_the_number_and_its_range) {
  EXPECT_EQ(run(requantized_sum_with_state(), codes({4, 100}), "y"), reals({1.5f, 31.75f}));
}

TEST(DequantizeGraph, states_start_at_the_reals_of_their_codes) {
  EXPECT_EQ(run(requantized_sum_with_state(), codes({4, 1}), "after"), reals({2.5f, -1}));
}

TEST(DequantizeGraph, leaves_inputs_as_codes) {
  const auto executor = Executor::make(sum_of_codes(), *find_arithmetic("float"));
  EXPECT_EQ(executor->graph().value(executor->graph().inputs()[0]).dtype, DType::i8);
}

}  // namespace
}  // namespace lockstep
