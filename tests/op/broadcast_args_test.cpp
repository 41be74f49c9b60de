#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(BroadcastArgs, joins_two_shapes_from_the_innermost_axis_on) {
  EXPECT_EQ(OpProblem("BroadcastArgs", "tflite-ref")
                .constant<std::int32_t>({3}, {4, 1, 3})
                .constant<std::int32_t>({2}, {5, 1})
                .run()[0],
            tensor<std::int32_t>({3}, {4, 5, 3}));
}

TEST(BroadcastArgs, of_shapes_that_do_not_fit_is_refused) {
  const auto y = OpProblem("BroadcastArgs", "tflite-ref")
                     .constant<std::int32_t>({1}, {4})
                     .constant<std::int32_t>({1}, {5})
                     .try_run();
  ASSERT_FALSE(y.ok());
  EXPECT_EQ(y.error().what, "shapes [4] and [5]");
}

}  // namespace
}  // namespace lockstep
