#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(HardSigmoid, clips_a_line) {
  const auto y =
      test::OpProblem("HardSigmoid").input<float>({3}, {-9.f, 1.f, 9.f}).attr("alpha", 0.25).run();
  EXPECT_EQ(y[0], Tensor::of<float>({3}, std::vector<float>{0.f, 0.75f, 1.f}));
}

}  // namespace
}  // namespace lockstep
