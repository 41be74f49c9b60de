#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(GatherElements, picks_each_element_by_its_own_index) {
  const auto x = OpProblem("GatherElements").input<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(OpProblem(x).input<I>({2, 2}, {0, 0, 1, -2}).attr("axis", I{1}).run()[0],
            tensor<float>({2, 2}, {1, 1, 4, 3}));
  EXPECT_EQ(OpProblem(x).input<std::int32_t>({1, 2}, {1, 0}).run()[0],
            tensor<float>({1, 2}, {3, 2}));
}

TEST(GatherElements, refuses_an_index_outside_of_the_axis) {
  EXPECT_FALSE(
      OpProblem("GatherElements").input<float>({2}, {1, 2}).input<I>({1}, {2}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
