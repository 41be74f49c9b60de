#include "diff/align.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

Tensor counted(Shape shape) {
  Tensor t(DType::i32, shape);
  for (std::int64_t i = 0; i < t.count(); ++i) t.set_code(i, i);
  return t;
}

TEST(Align, an_axis_moved_there_and_back_is_the_same_tensor) {
  const Shape nchw = {1, 3, 4, 5}, nhwc = {1, 4, 5, 3};
  const Tensor x = counted(nchw);
  const Tensor moved = reshape(x, *shape_change(nchw, "", nhwc, ""), nhwc);
  EXPECT_EQ(moved.code(1), 20);  // h0 w0 c1
  EXPECT_EQ(reshape(moved, *shape_change(nhwc, "", nchw, ""), nchw), x);
}

TEST(Align, equal_shapes_are_left_alone_unless_layouts_are_stated_to_differ) {
  const Shape cube = {1, 2, 2, 2};
  EXPECT_TRUE(shape_change(cube, "", cube, "NCHW")->axes.empty());
  EXPECT_TRUE(shape_change(cube, "NCHW", cube, "NCHW")->axes.empty());
  const auto stated = shape_change(cube, "NHWC", cube, "NCHW");
  EXPECT_EQ(stated->axes, (std::vector<std::size_t>{0, 3, 1, 2}));
}

TEST(Align, the_batch_axis_stays_first) {
  const Shape to = {2, 3, 4, 5}, from = {2, 4, 5, 3};
  const Tensor y = reshape(counted(from), *shape_change(from, "", to, ""), to);
  EXPECT_EQ(y.code(60), 60);
  EXPECT_EQ(y.code(1), 3);
}

TEST(Align, swapped_spatial_axes_are_found_and_other_counts_are_not) {
  const Shape to = {1, 3, 4, 5}, from = {1, 3, 5, 4};
  const auto change = shape_change(from, "", to, "");
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(reshape(counted(from), *change, to).code(1), 4);
  EXPECT_FALSE(shape_change({1, 3}, "", to, "").has_value());
}

TEST(Align, a_shape_that_says_nothing_is_taken_in_order_and_said) {
  const auto change = shape_change({60}, "", {1, 3, 4, 5}, "NCHW");
  ASSERT_TRUE(change.has_value());
  EXPECT_TRUE(change->axes.empty());
  EXPECT_NE(change->note.find("element by element"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
