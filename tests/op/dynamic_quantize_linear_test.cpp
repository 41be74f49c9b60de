#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(DynamicQuantizeLinear, spreads_the_codes_over_the_values) {
  const auto y = test::OpProblem("DynamicQuantizeLinear", "ort-noopt")
                     .input<float>({3}, {-1.f, 0.f, 254.f})
                     .output({})
                     .output({})
                     .output({})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<std::uint8_t>({3}, std::vector<std::uint8_t>{0, 1, 255})));
  EXPECT_EQ(y[1].as<float>()[0], 1.f);
  EXPECT_EQ(y[2].as<std::uint8_t>()[0], 1);
}

}  // namespace
}  // namespace lockstep
