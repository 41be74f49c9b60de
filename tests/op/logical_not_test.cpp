#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Not, turns_truth_over) {
  Tensor x(DType::boolean, {2});
  x.set_code(1, 1);
  const auto y = test::OpProblem("Not").add(x, {}, false).run();
  EXPECT_EQ(y[0].code(0), 1);
  EXPECT_EQ(y[0].code(1), 0);
}

TEST(Not, refuses_numbers) {
  EXPECT_FALSE(test::OpProblem("Not").input<float>({1}, {1}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
