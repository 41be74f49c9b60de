#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

Tensor truths(std::vector<int> bits) {
  Tensor t(DType::boolean, {static_cast<std::int64_t>(bits.size())});
  for (std::size_t i = 0; i < bits.size(); ++i) t.set_code(static_cast<std::int64_t>(i), bits[i]);
  return t;
}

TEST(And, follows_its_truth_table) {
  const auto y = test::OpProblem("And")
                     .add(truths({0, 0, 1, 1}), {}, false)
                     .add(truths({0, 1, 0, 1}), {}, false)
                     .run();
  EXPECT_EQ(y[0], truths({0, 0, 0, 1}));
}

}  // namespace
}  // namespace lockstep
