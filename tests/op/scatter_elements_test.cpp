#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;

OpProblem scatter(std::string reduction) {
  OpProblem p("ScatterElements");
  p.input<float>({2, 3}, {1, 2, 3, 4, 5, 6}).input<std::int64_t>({2, 2}, {2, -3, 0, 0});
  return p.input<float>({2, 2}, {10, 20, 30, 40})
      .attr("axis", std::int64_t{1})
      .attr("reduction", std::move(reduction));
}

TEST(ScatterElements, writes_where_the_indices_say_the_last_one_staying) {
  EXPECT_EQ(scatter("none").run()[0], (test::tensor<float>({2, 3}, {20, 2, 10, 40, 5, 6})));
}

TEST(ScatterElements, adds_or_takes_the_greatest) {
  EXPECT_EQ(scatter("add").run()[0], (test::tensor<float>({2, 3}, {21, 2, 13, 74, 5, 6})));
  EXPECT_EQ(scatter("max").run()[0], (test::tensor<float>({2, 3}, {20, 2, 10, 40, 5, 6})));
}

TEST(ScatterElements, refuses_an_index_beside_x) {
  EXPECT_FALSE(OpProblem("ScatterElements")
                   .input<float>({2}, {1, 2})
                   .input<std::int64_t>({1}, {2})
                   .input<float>({1}, {0})
                   .try_run()
                   .ok());
}

}  // namespace
}  // namespace lockstep
