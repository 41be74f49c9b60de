#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

std::vector<float> row(std::string mode, Shape pads) {
  const auto y = OpProblem("Pad")
                     .input<float>({1, 3}, {1, 2, 3})
                     .constant<I>({4}, {0, pads[0], 0, pads[1]})
                     .attr("mode", std::move(mode))
                     .run();
  return {y[0].as<float>().begin(), y[0].as<float>().end()};
}

TEST(Pad, fills_as_the_mode_says) {
  EXPECT_EQ(row("constant", {1, 2}), (std::vector<float>{0, 1, 2, 3, 0, 0}));
  EXPECT_EQ(row("edge", {1, 2}), (std::vector<float>{1, 1, 2, 3, 3, 3}));
  EXPECT_EQ(row("reflect", {2, 1}), (std::vector<float>{3, 2, 1, 2, 3, 2}));
  EXPECT_EQ(row("symmetric", {2, 1}), (std::vector<float>{2, 1, 1, 2, 3, 3}));
  EXPECT_EQ(row("wrap", {1, 2}), (std::vector<float>{3, 1, 2, 3, 1, 2}));
}

TEST(Pad, cuts_with_negative_pads_before_the_mode_looks) {
  EXPECT_EQ(row("edge", {-1, 1}), (std::vector<float>{2, 3, 3}));
  EXPECT_EQ(row("reflect", {2, -1}), (std::vector<float>{1, 2, 1, 2}));
}

TEST(Pad, takes_the_value_and_the_axes_from_inputs_or_attributes) {
  const auto x = OpProblem("Pad").input<float>({1, 2}, {1, 2});
  EXPECT_EQ(OpProblem(x)
                .constant<I>({2}, {1, 0})
                .constant<float>({}, {9})
                .constant<I>({1}, {-1})
                .run()[0],
            tensor<float>({1, 3}, {9, 1, 2}));
  EXPECT_EQ(OpProblem(x).attr("pads", Shape{0, 0, 1, 0}).attr("value", 5.0).run()[0],
            tensor<float>({2, 2}, {1, 2, 5, 5}));
}

TEST(Pad, fills_codes_with_0_or_with_the_zero_point_where_the_format_says_so) {
  const auto x = OpProblem("Pad")
                     .input<std::int8_t>({1}, {7}, {{0.5}, {-3}, -1})
                     .constant<std::int32_t>({1, 2}, {1, 0});
  EXPECT_EQ(OpProblem(x).run()[0], tensor<std::int8_t>({2}, {0, 7}));
  EXPECT_EQ(OpProblem(x).attr("fill", std::string("zero_point")).run()[0],
            tensor<std::int8_t>({2}, {-3, 7}));
}

// A damaged model once asked for a list of 2^31 places while it was read.
TEST(Pad, refuses_an_extent_that_nobody_can_list) {
  const auto ran =
      OpProblem("Pad").input<float>({2}, {1, 2}).constant<I>({2}, {I{1} << 31, 0}).try_run();
  ASSERT_FALSE(ran.ok());
  EXPECT_NE(ran.error().what.find("padded extent of 2147483650"), std::string::npos)
      << ran.error().line();
}

TEST(Pad, refuses_to_cut_more_than_there_is) {
  EXPECT_FALSE(OpProblem("Pad").input<float>({2}, {1, 2}).constant<I>({2}, {-3, 1}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
