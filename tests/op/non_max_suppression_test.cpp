#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

test::OpProblem three_boxes(std::vector<float> boxes, float bound) {
  test::OpProblem p("NonMaxSuppression");
  p.input<float>({1, 3, 4}, std::move(boxes)).input<float>({1, 1, 3}, {0.5f, 0.9f, 0.8f});
  p.constant<std::int64_t>({1}, {3}).constant<float>({1}, {bound});
  return p;
}
Tensor rows(std::vector<std::int64_t> v) {
  return Tensor::of<std::int64_t>({std::ssize(v) / 3, 3}, v);
}

TEST(NonMaxSuppression, drops_what_overlaps_a_better_box_and_fills_with_minus_one) {
  // boxes 0 and 1 share 2/3 of their union
  const std::vector<float> corners = {0, 0, 1, 5, 0, 1, 1, 6, 8, 8, 9, 9};
  EXPECT_EQ(three_boxes(corners, 0.5f).run()[0], rows({0, 0, 1, 0, 0, 2, -1, -1, -1}));
  EXPECT_EQ(three_boxes(corners, 0.7f).run()[0], rows({0, 0, 1, 0, 0, 2, 0, 0, 0}));
}

// As onnxruntime orders them; a heap of scores alone leaves them in another order.
TEST(NonMaxSuppression, of_equal_scores_the_first_comes_first) {
  test::OpProblem p("NonMaxSuppression");
  std::vector<float> boxes, scores;
  std::vector<std::int64_t> want;
  for (int i = 0; i < 9; ++i) {
    const auto at = static_cast<float>(2 * i);
    boxes.insert(boxes.end(), {at, at, at + 1, at + 1}), scores.push_back(i < 2 ? 0.25f : 0.5f);
  }
  for (const std::int64_t i : {2, 3, 4, 5, 6, 7, 8, 0, 1}) want.insert(want.end(), {0, 0, i});
  p.input<float>({1, 9, 4}, boxes).input<float>({1, 1, 9}, scores);
  p.constant<std::int64_t>({1}, {9}).constant<float>({1}, {0.5f});
  EXPECT_EQ(p.run()[0], rows(want));
}

TEST(NonMaxSuppression, takes_corners_in_any_order) {
  EXPECT_EQ(three_boxes({1, 5, 0, 0, 0, 1, 1, 6, 9, 9, 8, 8}, 0.5f).run()[0],
            rows({0, 0, 1, 0, 0, 2, -1, -1, -1}));
}

TEST(NonMaxSuppression, of_centres_and_extents) {
  const std::vector<float> centres = {2.5f, 0.5f, 5, 1, 3.5f, 0.5f, 5, 1, 8.5f, 8.5f, 1, 1};
  EXPECT_EQ(three_boxes(centres, 0.5f).attr("center_point_box", std::int64_t{1}).run()[0],
            rows({0, 0, 1, 0, 0, 2, -1, -1, -1}));
}

TEST(NonMaxSuppression, refuses_a_bound_without_an_element) {
  test::OpProblem p("NonMaxSuppression");
  p.input<float>({1, 1, 4}, {0, 0, 1, 1})
      .input<float>({1, 1, 1}, {1})
      .constant<std::int64_t>({1}, {1})
      .constant<float>({0}, {});
  EXPECT_FALSE(p.try_run().ok());
}

TEST(NonMaxSuppression, leaves_out_scores_up_to_the_least) {
  const auto y =
      three_boxes({0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5}, 0.5f).constant<float>({1}, {0.8f}).run();
  EXPECT_EQ(y[0], rows({0, 0, 1, -1, -1, -1, -1, -1, -1}));
}

}  // namespace
}  // namespace lockstep
