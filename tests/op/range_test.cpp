#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Range, counts_up_and_down_to_before_the_limit) {
  EXPECT_EQ(OpProblem("Range")
                .constant<float>({}, {1})
                .constant<float>({}, {2})
                .constant<float>({}, {0.5f})
                .run()[0],
            tensor<float>({2}, {1, 1.5f}));
  EXPECT_EQ(
      OpProblem("Range").constant<I>({}, {10}).constant<I>({}, {4}).constant<I>({}, {-3}).run()[0],
      tensor<I>({2}, {10, 7}));
}

TEST(Range, is_empty_where_delta_leads_away) {
  EXPECT_EQ(OpProblem("Range")
                .constant<I>({}, {1})
                .constant<I>({}, {5})
                .constant<I>({}, {-1})
                .run()[0]
                .shape(),
            (Shape{0}));
}

TEST(Range, refuses_a_step_of_0) {
  EXPECT_FALSE(OpProblem("Range")
                   .constant<I>({}, {1})
                   .constant<I>({}, {5})
                   .constant<I>({}, {0})
                   .try_run()
                   .ok());
}

}  // namespace
}  // namespace lockstep
