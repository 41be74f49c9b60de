#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Pow, raises_each_element) {
  const auto y =
      test::OpProblem("Pow").input<float>({2}, {2, 3}).input<float>({2}, {3, 0.5f}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2}, std::vector<float>{8, 1.7320508f})));
}

TEST(Pow, keeps_the_type_of_the_base) {
  const auto y =
      test::OpProblem("Pow").input<std::int32_t>({2}, {2, 3}).input<float>({}, {2}).run();
  EXPECT_EQ(y[0], (Tensor::of<std::int32_t>({2}, std::vector<std::int32_t>{4, 9})));
}

// The runtime multiplies for an exponent of 3 only where the exponent stands still along the run
// (N101).
TEST(Pow, of_a_column_by_a_number_without_axes_is_no_product) {
  const std::vector<float> x{0x1.b33334p+0f, 0x1.333334p-2f, 0x1.733334p+1f};
  const auto powers =
      test::OpProblem("Pow", "ort-noopt").input<float>({3, 1}, x).input<float>({}, {3}).run();
  const auto products =
      test::OpProblem("Pow", "ort-noopt").input<float>({3, 1}, x).input<float>({1, 1}, {3}).run();
  EXPECT_EQ(powers[0], Tensor::of<float>({3, 1}, std::vector<float>{0x1.3a6e9ap+2f, 0x1.ba5e38p-6f,
                                                                    0x1.86395ap+4f}));
  EXPECT_EQ(products[0],
            Tensor::of<float>({3, 1},
                              std::vector<float>{0x1.3a6e98p+2f, 0x1.ba5e38p-6f, 0x1.86395cp+4f}));
}

}  // namespace
}  // namespace lockstep
