#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

Tensor flags(std::vector<std::uint8_t> bits) {
  Tensor t(DType::boolean, {static_cast<std::int64_t>(bits.size())});
  std::ranges::copy(bits, t.as<std::uint8_t>().begin());
  return t;
}

TEST(Compress, keeps_the_slices_whose_condition_holds) {
  const auto y = test::OpProblem("Compress")
                     .input<float>({3, 2}, {1, 2, 3, 4, 5, 6})
                     .add(flags({0, 1, 1}), {}, true)
                     .attr("axis", std::int64_t{0})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({2, 2}, std::vector<float>{3, 4, 5, 6}));
}

TEST(Compress, without_an_axis_takes_x_as_one_row) {
  const auto y = test::OpProblem("Compress")
                     .input<float>({2, 2}, {1, 2, 3, 4})
                     .add(flags({0, 1, 0, 1}), {}, true)
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{2, 4}));
}

TEST(Compress, refuses_a_condition_that_is_computed) {
  const auto y =
      test::OpProblem("Compress").input<float>({2}, {1, 2}).add(flags({0, 1}), {}, false).try_run();
  ASSERT_FALSE(y.ok());
}

}  // namespace
}  // namespace lockstep
