#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(OneHot, is_on_at_the_index_of_a_new_axis) {
  const auto x =
      OpProblem("OneHot").input<I>({2}, {1, -1}).constant<I>({}, {3}).input<float>({2}, {0, 5});
  EXPECT_EQ(OpProblem(x).run()[0], tensor<float>({2, 3}, {0, 5, 0, 0, 0, 5}));
  EXPECT_EQ(OpProblem(x).attr("axis", I{0}).attr("from_end", I{0}).run()[0],
            tensor<float>({3, 2}, {0, 0, 5, 0, 0, 0}));
}

TEST(OneHot, is_off_all_along_for_an_index_beyond_the_depth) {
  const auto y = OpProblem("OneHot")
                     .input<std::int32_t>({}, {3})
                     .constant<I>({1}, {3})
                     .input<I>({2}, {7, 9})
                     .run();
  EXPECT_EQ(y[0], tensor<I>({3}, {7, 7, 7}));
}

}  // namespace
}  // namespace lockstep
