#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(LogSoftmax, of_equal_elements_is_minus_ln_of_their_number) {
  const auto y = test::OpProblem("LogSoftmax")
                     .input<float>({2, 2}, {7, 1000, 7, 1000})
                     .attr("axis", std::int64_t{0})
                     .run();
  for (const float element : y[0].as<float>()) EXPECT_FLOAT_EQ(element, -0.6931472f);
}

}  // namespace
}  // namespace lockstep
