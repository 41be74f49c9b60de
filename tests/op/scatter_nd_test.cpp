#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ScatterND, replaces_the_named_rows) {
  const auto y = test::OpProblem("ScatterND")
                     .input<float>({3, 2}, {1, 2, 3, 4, 5, 6})
                     .input<std::int64_t>({1, 1}, {-1})
                     .input<float>({1, 2}, {8, 9})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({3, 2}, std::vector<float>{1, 2, 3, 4, 8, 9})));
}

TEST(ScatterND, adds_updates_of_one_place) {
  const auto x = test::OpProblem("ScatterND")
                     .input<float>({2}, {1, 2})
                     .input<std::int32_t>({2, 1}, {1, 1})
                     .input<float>({2}, {8, 9});
  EXPECT_EQ(test::OpProblem(x).attr("reduction", std::string("add")).run()[0],
            (Tensor::of<float>({2}, std::vector<float>{1, 19})));
  EXPECT_EQ(test::OpProblem(x).attr("reduction", std::string("max")).run()[0],
            (Tensor::of<float>({2}, std::vector<float>{1, 9})));
}

TEST(ScatterND, refuses_an_index_outside_x) {
  EXPECT_FALSE(test::OpProblem("ScatterND")
                   .input<float>({1}, {1})
                   .input<std::int64_t>({1, 1}, {1})
                   .input<float>({1}, {8})
                   .try_run()
                   .ok());
}

}  // namespace
}  // namespace lockstep
