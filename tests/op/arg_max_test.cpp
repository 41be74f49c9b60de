#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(ArgMax, names_the_first_of_the_greatest_or_the_last_when_asked) {
  const auto x = OpProblem("ArgMax").input<float>({1, 4}, {3, 1, 3, 2}).attr("axis", I{1});
  EXPECT_EQ(OpProblem(x).run()[0], tensor<I>({1, 1}, {0}));
  EXPECT_EQ(OpProblem(x).attr("select_last_index", I{1}).attr("keepdims", I{0}).run()[0],
            tensor<I>({1}, {2}));
}

TEST(ArgMax, works_on_codes_along_an_outer_axis_given_as_input) {
  const auto y = OpProblem("ArgMax")
                     .input<std::int8_t>({2, 2}, {-1, 5, 1, -5})
                     .constant<std::int32_t>({}, {0})
                     .attr("keepdims", I{0})
                     .attr("to", std::string("int32"))
                     .run();
  EXPECT_EQ(y[0], tensor<std::int32_t>({2}, {1, 0}));
}

}  // namespace
}  // namespace lockstep
