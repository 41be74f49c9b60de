#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Mod, takes_the_sign_of_the_divisor) {
  const auto y = test::OpProblem("Mod")
                     .input<std::int32_t>({3}, {-4, 7, 5})
                     .input<std::int32_t>({3}, {3, -3, 0})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<std::int32_t>({3}, std::vector<std::int32_t>{2, -2, 0})));
}

TEST(Mod, with_fmod_takes_the_sign_of_the_dividend) {
  const auto y = test::OpProblem("Mod")
                     .input<float>({2}, {-4.3f, 7})
                     .input<float>({}, {3})
                     .attr("fmod", std::int64_t{1})
                     .run();
  EXPECT_FLOAT_EQ(y[0].as<float>()[0], -1.3000002f);
  EXPECT_EQ(y[0].as<float>()[1], 1);
}

}  // namespace
}  // namespace lockstep
