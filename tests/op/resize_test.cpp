#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using Ints = std::vector<std::int64_t>;

Tensor doubled(const char* mode, const char* coordinates,
               const char* nearest = "round_prefer_floor") {
  return test::OpProblem("Resize")
      .input<float>({1, 1, 1, 2}, {1, 3})
      .attr("shape", Ints{1, 1, 1, 4})
      .attr("mode", std::string(mode))
      .attr("coordinates", std::string(coordinates))
      .attr("nearest_mode", std::string(nearest))
      .run()[0];
}

TEST(Resize, repeats_the_nearest_element) {
  EXPECT_EQ(doubled("nearest", "asymmetric", "floor"),
            (Tensor::of<float>({1, 1, 1, 4}, std::vector<float>{1, 1, 3, 3})));
}

TEST(Resize, blends_linearly_between_pixel_centres) {
  EXPECT_EQ(doubled("linear", "half_pixel"),
            (Tensor::of<float>({1, 1, 1, 4}, std::vector<float>{1, 1.5f, 2.5f, 3})));
}

TEST(Resize, with_aligned_corners_keeps_the_ends) {
  const Tensor y = doubled("linear", "align_corners");
  EXPECT_EQ(y.as<float>()[0], 1);
  EXPECT_FLOAT_EQ(y.as<float>()[1], 1 + 2.f / 3);
  EXPECT_EQ(y.as<float>()[3], 3);
}

// Where the runtime mixes codes of int8 by a filter, it holds them as unsigned bytes: what is below
// 0 becomes 0.
TEST(Resize, a_filtered_int8_code_below_zero_becomes_zero) {
  const auto y = test::OpProblem("Resize")
                     .input<std::int8_t>({1, 1, 1, 2}, {-8, 24})
                     .attr("shape", Ints{1, 1, 1, 4})
                     .attr("mode", std::string("linear"))
                     .attr("antialias", std::int64_t{1})
                     .run()[0];
  EXPECT_EQ(y, (Tensor::of<std::int8_t>({1, 1, 1, 4}, std::vector<std::int8_t>{0, 0, 16, 24})));
}

TEST(Resize, refuses_a_mode_it_does_not_know) {
  EXPECT_FALSE(test::OpProblem("Resize")
                   .input<float>({1}, {1})
                   .attr("shape", Ints{2})
                   .attr("mode", std::string("area"))
                   .try_run()
                   .ok());
}

// onnxruntime 1.30 (N102): the last row, which stays, is the sum of two halves of each product.
TEST(Resize, mixes_rows_that_keep_their_extent) {
  const auto y = test::OpProblem("Resize")
                     .input<float>({1, 1, 2, 2}, {0x1.45674cp-5f, -0x1.2b79c8p-2f, -0x1.90564ep-1f,
                                                  -0x1.075d68p-2f})
                     .attr("shape", Ints{1, 1, 2, 3})
                     .attr("mode", std::string("linear"))
                     .attr("coordinates", std::string("asymmetric"))
                     .run();
  EXPECT_EQ(y[0],
            Tensor::of<float>({1, 1, 2, 3}, std::vector<float>{0x1.45674cp-5f, -0x1.742f1cp-3f,
                                                               -0x1.2b79c8p-2f, -0x1.90564ep-1f,
                                                               -0x1.ba77cep-2f, -0x1.075d68p-2f}));
}

TEST(Resize, cubic_with_exclude_outside_divides_rows_behind_the_product) {
  const std::vector<float> x{0x1.0acd9p-7f,   -0x1.1a37a6p-2f, 0x1.4b47c4p+0f,
                             0x1.01b8bp+0f,   -0x1.5b076p+1f,  -0x1.e3966p+0f,
                             -0x1.65eeeap-3f, -0x1.b052aep-2f, 0x1.b58a76p-3f};
  const std::vector<float> want{0x1.5a7ee8p-2f, -0x1.1c34dcp-1f, -0x1.914cd6p-2f, 0x1.60afcap-1f,
                                0x1.7a5058p-3f, -0x1.37aadp-1f,  -0x1.a338c8p-1f, -0x1.10cb18p-2f};
  const auto y = test::OpProblem("Resize")
                     .input<float>({1, 1, 3, 3}, x)
                     .attr("shape", Ints{1, 1, 2, 4})
                     .attr("mode", std::string("cubic"))
                     .attr("exclude_outside", std::int64_t{1})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({1, 1, 2, 4}, want));
}

}  // namespace
}  // namespace lockstep
