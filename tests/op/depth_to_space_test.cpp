#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

const std::vector<float> eight = {1, 2, 3, 4, 5, 6, 7, 8};  // channel k holds k + 1

TEST(DepthToSpace, reads_the_squares_place_from_the_outer_or_the_inner_channel) {
  const auto x =
      OpProblem("DepthToSpace").input<float>({1, 8, 1, 1}, eight).attr("blocksize", I{2});
  EXPECT_EQ(OpProblem(x).run()[0], tensor<float>({1, 2, 2, 2}, {1, 3, 5, 7, 2, 4, 6, 8}));
  EXPECT_EQ(OpProblem(x).attr("mode", std::string("CRD")).run()[0],
            tensor<float>({1, 2, 2, 2}, eight));
}

TEST(DepthToSpace, keeps_channels_innermost_where_they_are) {
  const auto y = OpProblem("DepthToSpace")
                     .input<float>({1, 1, 2, 4}, eight)
                     .attr("blocksize", I{2})
                     .attr("layout", std::string("NHWC"))
                     .run();
  EXPECT_EQ(y[0], tensor<float>({1, 2, 4, 1}, {1, 2, 5, 6, 3, 4, 7, 8}));
}

TEST(DepthToSpace, refuses_channels_that_make_no_squares) {
  EXPECT_FALSE(OpProblem("DepthToSpace")
                   .input<float>({1, 2, 1, 1}, {1, 2})
                   .attr("blocksize", I{2})
                   .try_run()
                   .ok());
}

}  // namespace
}  // namespace lockstep
