#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Pow, raises_each_element) {
  const auto y = test::OpProblem("Pow").input<float>({2}, {2, 3}).input<float>({2}, {3, 0.5f}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2}, std::vector<float>{8, 1.7320508f})));
}

TEST(Pow, keeps_the_type_of_the_base) {
  const auto y = test::OpProblem("Pow").input<std::int32_t>({2}, {2, 3}).input<float>({}, {2}).run();
  EXPECT_EQ(y[0], (Tensor::of<std::int32_t>({2}, std::vector<std::int32_t>{4, 9})));
}

}  // namespace
}  // namespace lockstep
