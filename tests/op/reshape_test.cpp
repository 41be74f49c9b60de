#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Reshape, copies_an_extent_for_0_and_computes_the_one_for_minus_1) {
  const auto y = OpProblem("Reshape")
                     .input<float>({2, 3}, {1, 2, 3, 4, 5, 6})
                     .constant<I>({3}, {0, -1, 1})
                     .run();
  EXPECT_EQ(y[0], tensor<float>({2, 3, 1}, {1, 2, 3, 4, 5, 6}));
}

TEST(Reshape, takes_0_as_an_extent_with_allowzero) {
  const auto y = OpProblem("Reshape")
                     .input<float>({0, 3}, {})
                     .attr("shape", Shape{3, 0})
                     .attr("allowzero", I{1})
                     .run();
  EXPECT_EQ(y[0].shape(), (Shape{3, 0}));
}

TEST(Reshape, refuses_another_count_two_free_extents_and_a_computed_shape) {
  const auto x = OpProblem("Reshape").input<float>({4}, {1, 2, 3, 4});
  EXPECT_FALSE(OpProblem(x).attr("shape", Shape{3}).try_run().ok());
  EXPECT_FALSE(OpProblem(x).attr("shape", Shape{-1, 3}).try_run().ok());
  EXPECT_FALSE(OpProblem(x).attr("shape", Shape{-1, -1}).try_run().ok());
  const auto computed = OpProblem(x).input<I>({1}, {4}).try_run();
  ASSERT_FALSE(computed.ok());
  EXPECT_NE(computed.error().line().find("follows from constants"), std::string::npos);
}

TEST(Reshape, refuses_codes_that_would_change_their_meaning) {
  EXPECT_FALSE(OpProblem("Reshape")
                   .input<std::int8_t>({2}, {1, 2}, {{0.5}, {0}, -1})
                   .attr("shape", Shape{1, 2})
                   .output({{0.25}, {0}, -1})
                   .try_run()
                   .ok());
}

}  // namespace
}  // namespace lockstep
