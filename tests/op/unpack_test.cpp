#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Unpack, makes_an_output_of_each_index) {
  const auto y = OpProblem("Unpack")
                     .input<std::int8_t>({2, 2}, {1, 2, 3, 4})
                     .attr("axis", I{1})
                     .output({})
                     .output({})
                     .run();
  EXPECT_EQ(y[0], tensor<std::int8_t>({2}, {1, 3}));
  EXPECT_EQ(y[1], tensor<std::int8_t>({2}, {2, 4}));
}

TEST(Unpack, refuses_another_number_of_outputs) {
  EXPECT_FALSE(OpProblem("Unpack").input<float>({2}, {1, 2}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
