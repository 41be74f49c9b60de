#include "diagnose/computes_in_reals.h"

#include <gtest/gtest.h>

#include "support/nets.h"

namespace lockstep {
namespace {

// x codes -> Requantize -> y codes.
Graph requantize() {
  GraphBuilder b("one.tflite", "tflite");
  ValueId ids[2];
  for (int i = 0; i < 2; ++i) {
    Value v;
    v.name = std::string(1, i == 0 ? 'x' : 'y');
    v.dtype = DType::i8;
    v.shape = {4};
    v.quant = {{0.5}, {0}, -1};
    ids[i] = b.add_value(std::move(v));
  }
  b.add_input(ids[0]);
  b.add_node({"n", "Requantize", {}, {ids[0]}, {ids[1]}, {}});
  b.add_output(ids[1]);
  return std::move(std::move(b).finish()).value();
}

Sample recorded(std::vector<float> numbers) {
  return {{"y", Tensor::of<float>({4}, numbers)}};
}

TEST(ComputesInReals, is_said_of_reals_between_the_codes_alone) {
  const Graph g = requantize();
  const std::vector<Sample> between = {recorded({0.13f, 0.61f, -1.2f, 0.5f})};
  const std::vector<Sample> on_grid = {recorded({0.5f, 1.5f, -1.0f, 7.0f})};
  const std::vector<Sample> codes = {
      {{"y", Tensor::of<std::int8_t>({4}, std::vector<std::int8_t>{1, 2, 3, 4})}}};
  EXPECT_TRUE(computes_in_reals(g, between));
  EXPECT_FALSE(computes_in_reals(g, on_grid));
  EXPECT_FALSE(computes_in_reals(g, codes));
  EXPECT_FALSE(computes_in_reals(g, {}));
}

}  // namespace
}  // namespace lockstep
