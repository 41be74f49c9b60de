#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

// Three anchors of extent 1: the first two lie nearly together, the third far off; a background
// column stands first.
test::OpProblem problem(std::int64_t regular) {
  return test::OpProblem("DetectionPostProcess")
      .input<float>({1, 3, 4}, {0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0})
      .input<float>({1, 3, 3}, {0, .9f, .1f, 0, .8f, .2f, 0, .3f, .7f})
      .input<float>({3, 4}, {0, 0, 1, 1, 0, 0, 1, 1, 5, 5, 1, 1})
      .attr("max_detections", std::int64_t{3})
      .attr("use_regular_nms", regular)
      .attr("num_classes", std::int64_t{2})
      .attr("nms_score_threshold", 0.15)
      .attr("nms_iou_threshold", 0.5)
      .attr("y_scale", 10.0)
      .attr("x_scale", 10.0)
      .attr("h_scale", 5.0)
      .attr("w_scale", 5.0);
}

TEST(DetectionPostProcess, keeps_the_better_of_two_boxes_that_overlap) {
  const auto y = problem(0).output({}).output({}).output({}).output({}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({1, 3, 4}, std::vector<float>{-.5f, -.5f, .5f, .5f, 4.5f, 4.5f,
                                                                  5.5f, 5.5f, 0, 0, 0, 0}));
  EXPECT_EQ(y[1], Tensor::of<float>({1, 3}, std::vector<float>{0, 1, 0}));
  EXPECT_EQ(y[2], Tensor::of<float>({1, 3}, std::vector<float>{.9f, .7f, 0}));
  EXPECT_EQ(y[3], Tensor::of<float>({1}, std::vector<float>{2}));
}

TEST(DetectionPostProcess, classes_by_themselves_keep_a_box_for_each) {
  const auto y = problem(1).output({}).output({}).output({}).output({}).run();
  EXPECT_EQ(y[1], Tensor::of<float>({1, 3}, std::vector<float>{0, 1, 0}));
  EXPECT_EQ(y[2], Tensor::of<float>({1, 3}, std::vector<float>{.9f, .7f, .3f}));
  EXPECT_EQ(y[3], Tensor::of<float>({1}, std::vector<float>{3}));
}

// As TFLite Micro orders them: classes 0 and 1 score alike on every box, and two rows are free.
TEST(DetectionPostProcess, of_equal_scores_of_two_classes_the_first_class_stays) {
  test::OpProblem p("DetectionPostProcess");
  p.input<float>({1, 3, 4}, std::vector<float>(12, 0.0f))
      .input<float>({1, 3, 2}, {.5f, .5f, .5f, .5f, .75f, .5f})
      .input<float>({3, 4}, {0, 0, 1, 1, 5, 5, 1, 1, 9, 9, 1, 1});
  p.attr("max_detections", std::int64_t{4}).attr("num_classes", std::int64_t{2});
  p.attr("use_regular_nms", std::int64_t{1}).attr("nms_iou_threshold", 0.5);
  for (const char* name : {"y_scale", "x_scale", "h_scale", "w_scale"}) p.attr(name, 1.0);
  const auto y = p.output({}).output({}).output({}).output({}).run();
  EXPECT_EQ(y[1], Tensor::of<float>({1, 4}, std::vector<float>{0, 0, 0, 1}));
  EXPECT_EQ(y[0].number(0), 8.5) << "the best box first";
  EXPECT_EQ(y[0].number(12), -0.5) << "of class 1 the first box";
}

TEST(DetectionPostProcess, refuses_more_rows_than_a_million) {
  const auto y = problem(1)
                     .attr("max_detections", std::int64_t{100000})
                     .attr("max_classes_per_detection", std::int64_t{11})
                     .output({})
                     .output({})
                     .output({})
                     .output({})
                     .try_run();
  ASSERT_FALSE(y.ok());
  EXPECT_NE(y.error().want.find("at most 1000000"), std::string::npos)
      << y.error().what << ": " << y.error().want;
}

}  // namespace
}  // namespace lockstep
