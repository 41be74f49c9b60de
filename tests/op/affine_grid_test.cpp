#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using List = std::vector<std::int64_t>;

TEST(AffineGrid, of_the_identity_is_the_grid_itself) {
  const auto y = test::OpProblem("AffineGrid")
                     .input<float>({1, 2, 3}, {1, 0, 0, 0, 1, 0})
                     .constant<std::int64_t>({4}, List{1, 1, 2, 2})
                     .attr("align_corners", std::int64_t{1})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({1, 2, 2, 2}, std::vector<float>{-1, -1, 1, -1, -1, 1, 1, 1}));
}

TEST(AffineGrid, between_edges_shifted_and_turned) {
  const auto y = test::OpProblem("AffineGrid")
                     .input<float>({1, 2, 3}, {0, 1, 10, 2, 0, 20})
                     .constant<std::int64_t>({4}, List{1, 1, 1, 2})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({1, 1, 2, 2}, std::vector<float>{10, 19, 10, 21}));
}

}  // namespace
}  // namespace lockstep
