#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Lrn, divides_by_the_energy_of_the_neighbours) {  // 1 + 2/2 * (9 + 16) = 26, 1 + 16 = 17
  const auto y = test::OpProblem("LRN")
                     .input<float>({1, 2, 1}, {3, 4})
                     .attr("size", std::int64_t{2})
                     .attr("alpha", 2.0)
                     .attr("beta", 1.0)
                     .run();
  EXPECT_FLOAT_EQ(y[0].as<float>()[0], 3.f / 26);
  EXPECT_FLOAT_EQ(y[0].as<float>()[1], 4.f / 17);
}

}  // namespace
}  // namespace lockstep
