#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

OpProblem doubled(Shape x, std::vector<float> values) {  // h' = relu(x + 2 h - 1)
  OpProblem p("SequenceRnn");
  p.input<float>(std::move(x), std::move(values))
      .constant<float>({1, 1}, {1})
      .constant<float>({1, 1}, {2});
  p.constant<float>({1}, {-1}).input<float>({1, 1}, {0}).attr("activation", std::string("relu"));
  p.output({}).output({});
  return p;
}

TEST(SequenceRnn, carries_its_state_from_step_to_step_and_out) {
  const auto y = doubled({1, 4, 1}, {2, 1, -9, 3}).run();
  EXPECT_EQ(y[0], tensor<float>({1, 4, 1}, {1, 2, 0, 2}));
  EXPECT_EQ(y[1], tensor<float>({1, 1}, {2}));
}

TEST(SequenceRnn, a_matrix_is_one_step) {
  EXPECT_EQ(doubled({1, 1}, {5}).run()[0], tensor<float>({1, 1}, {4}));
}

TEST(SequenceRnn, refuses_weights_of_another_width) {
  EXPECT_FALSE(doubled({1, 1, 2}, {1, 2}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
