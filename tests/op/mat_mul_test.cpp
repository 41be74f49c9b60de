#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(MatMul, multiplies_rows_by_columns) {
  const auto y = test::OpProblem("MatMul")
                     .input<float>({2, 2}, {1, 2, 3, 4})
                     .input<float>({2, 1}, {5, 6})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2, 1}, std::vector<float>{17, 39})));
}

TEST(MatMul, spreads_the_outer_axes) {
  const auto y =
      test::OpProblem("MatMul").input<float>({2, 1, 1}, {2, 3}).input<float>({1, 2}, {5, 7}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2, 1, 2}, std::vector<float>{10, 14, 15, 21})));
}

TEST(MatMul, of_two_vectors_is_a_scalar) {
  const auto y = test::OpProblem("MatMul")
                     .input<std::int32_t>({2}, {2, 3})
                     .input<std::int32_t>({2}, {4, 5})
                     .run();
  EXPECT_EQ(y[0], Tensor::scalar<std::int32_t>(23));
}

TEST(MatMul, refuses_inner_extents_that_differ) {
  EXPECT_FALSE(test::OpProblem("MatMul")
                   .input<float>({1, 2}, {1, 2})
                   .input<float>({3, 1}, {1, 2, 3})
                   .try_run()
                   .ok());
}

// onnxruntime 1.30 (N106, N32).
TEST(MatMul, by_a_vector_goes_row_by_row_and_by_a_column_does_not) {
  const std::vector<float> a{0x1.15034ep-3f,  0x1.3981ap+0f,   0x1.1404fep-2f,  0x1.824dcep-1f,
                             0x1.383f82p-1f,  -0x1.228996p+0f, -0x1.b7c71ep-1f, -0x1.521764p+1f,
                             -0x1.0a5d14p-2f, 0x1.56be0cp+0f,  -0x1.1bf4fap+0f, 0x1.3bda8ep+0f,
                             0x1.ffc484p-1f,  -0x1.c14466p-5f, -0x1.f2d632p-8f, 0x1.5348d8p-4f,
                             -0x1.b8e062p-1f, -0x1.211b38p-2f},
      v{-0x1.7d746ep-5f, 0x1.394feep-1f,  0x1.95687ep-1f, -0x1.7c482ap-1f, 0x1.a6c3ep-1f,
        -0x1.8e450cp-1f, -0x1.59f0eap-3f, 0x1.7a5f9cp-2f, -0x1.73273cp-6f};
  const auto rows =
      test::OpProblem("MatMul", "ort-noopt").input<float>({2, 9}, a).input<float>({9}, v).run();
  const auto column =
      test::OpProblem("MatMul", "ort-noopt").input<float>({2, 9}, a).input<float>({9, 1}, v).run();
  EXPECT_EQ(rows[0], Tensor::of<float>({2}, std::vector<float>{0x1.ea3f9p-1f, -0x1.be4fcep-1f}));
  EXPECT_EQ(column[0],
            Tensor::of<float>({2, 1}, std::vector<float>{0x1.ea3f8ep-1f, -0x1.be4fcep-1f}));
}

}  // namespace
}  // namespace lockstep
