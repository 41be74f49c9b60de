#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ReverseSequence, turns_only_the_first_of_each_column) {
  const auto x = test::OpProblem("ReverseSequence").input<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(test::OpProblem(x).input<std::int64_t>({2}, {2, 3}).run()[0],
            test::tensor<float>({3, 2}, {3, 6, 1, 4, 5, 2}));
  EXPECT_FALSE(test::OpProblem(x).input<std::int64_t>({2}, {4, 1}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
