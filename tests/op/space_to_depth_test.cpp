#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(SpaceToDepth, makes_a_channel_group_of_a_square) {
  const auto y = OpProblem("SpaceToDepth")
                     .input<float>({1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})
                     .attr("blocksize", I{2})
                     .run();
  EXPECT_EQ(y[0], tensor<float>({1, 8, 1, 1}, {1, 5, 2, 6, 3, 7, 4, 8}));
}

TEST(SpaceToDepth, keeps_channels_innermost_where_they_are) {
  const auto y = OpProblem("SpaceToDepth")
                     .input<std::int8_t>({1, 2, 4, 1}, {1, 2, 5, 6, 3, 4, 7, 8})
                     .attr("blocksize", I{2})
                     .attr("layout", std::string("NHWC"))
                     .run();
  EXPECT_EQ(y[0], tensor<std::int8_t>({1, 1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(SpaceToDepth, refuses_extents_that_are_no_multiple) {
  EXPECT_FALSE(OpProblem("SpaceToDepth")
                   .input<float>({1, 1, 1, 2}, {1, 2})
                   .attr("blocksize", I{2})
                   .try_run()
                   .ok());
}

}  // namespace
}  // namespace lockstep
