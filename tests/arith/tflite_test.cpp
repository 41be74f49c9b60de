#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

// 29 / 4 = 7.25, 30 / 4 = 7.5, 26 / 4 = 6.5: in float32, half to even.
TEST(Tflite, layers_round_once_half_to_even) {
  const Numerics& n = *find_arithmetic("tflite")->numerics;
  const Rescale quarter = n.conv->prepare(0.5, 0.5, 1.0);
  EXPECT_EQ(n.conv->apply(29, quarter), 7);
  EXPECT_EQ(n.conv->apply(30, quarter), 8);
  EXPECT_EQ(n.conv->apply(26, quarter), 6);
  EXPECT_EQ(n.dense->apply(26, quarter), 6);
}

// 29 / 4 = 7.25: the delegate takes a product of computed operands only where the second's zero
// point is 0.
TEST(Tflite, products_of_computed_operands_round_twice_unless_the_delegate_takes_them) {
  const Numerics& n = *find_arithmetic("tflite")->numerics;
  EXPECT_EQ(n.matmul->apply(29, n.matmul->prepare(0.5, 0.5, 1.0)), 8);
  const auto product = [](std::int32_t zero, std::string kernel) {
    test::OpProblem p("MatMul", "tflite");
    p.input<std::int8_t>({1, 1}, {29}, {{0.5}, {0}, -1});
    p.input<std::int8_t>({1, 1}, {static_cast<std::int8_t>(zero + 1)}, {{0.5}, {zero}, -1});
    if (!kernel.empty()) p.attr("kernel", kernel);
    return p.output({{1.0}, {0}, -1}).run()[0].code(0);
  };
  EXPECT_EQ(product(1, ""), 8);
  EXPECT_EQ(product(0, "layer"), 7);
}

}  // namespace
}  // namespace lockstep
