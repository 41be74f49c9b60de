#include "num/ort_functions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "num/ort_reduce.h"

namespace lockstep {
namespace {

using Floats = std::vector<float>;

Floats mapped(RealFunctions::Map f, const Floats& x, float alpha = 0, float beta = 0) {
  Floats y(x.size());
  f(x, y, alpha, beta);
  return y;
}

// Samples of onnxruntime 1.30.0's answers, where real numbers rounded once give another last bit.
TEST(OrtFunctions, equal_the_runtime_in_the_last_bit) {
  EXPECT_EQ(mapped(ort_functions.exp, {-0x1.d399960000000p-3f, -0x1.a7cf100000000p+0f,
                                       0x1.0567960000000p+0f, 0x1.fe1b860000000p-2f}),
            (Floats{0x1.977c300000000p-1f, 0x1.8728de0000000p-3f, 0x1.635d220000000p+1f,
                    0x1.a54b160000000p+0f}));
  EXPECT_EQ(mapped(ort_functions.erf, {0x1.6cbc6a0000000p-3f, 0x1.ca97a60000000p+0f,
                                       -0x1.805f420000000p-3f, 0x1.692a460000000p+0f}),
            (Floats{0x1.97401a0000000p-3f, 0x1.fa37580000000p-1f, -0x1.acadaa0000000p-3f,
                    0x1.e86f8e0000000p-1f}));
  EXPECT_EQ(mapped(ort_functions.gelu, {-0x1.9bc99a0000000p+1f, -0x1.25bc800000000p-2f,
                                        -0x1.6b03ba0000000p-1f, -0x1.d163560000000p+1f}),
            (Floats{-0x1.11067e0000000p-9f, -0x1.c6d6200000000p-4f, -0x1.5b458e0000000p-3f,
                    -0x1.080d9c0000000p-11f}));
  EXPECT_EQ(mapped(ort_functions.softplus, {0x1.b609540000000p-1f, -0x1.2444d20000000p+0f,
                                            -0x1.d163560000000p+1f, -0x1.f8277a0000000p+0f}),
            (Floats{0x1.35b2240000000p+0f, 0x1.1bbd340000000p-2f, 0x1.aa509a0000000p-6f,
                    0x1.0b88420000000p-3f}));
  EXPECT_EQ(mapped(ort_functions.softsign, {-0x1.2444d20000000p+0f, -0x1.25bc800000000p-2f,
                                            -0x1.6b03ba0000000p-1f, 0x1.6cbc6a0000000p-3f}),
            (Floats{-0x1.10ef500000000p-1f, -0x1.c884ec0000000p-3f, -0x1.a8d2de0000000p-2f,
                    0x1.3599320000000p-3f}));
  EXPECT_EQ(mapped(ort_functions.selu,
                   {-0x1.25bc800000000p-2f, -0x1.6b03ba0000000p-1f, -0x1.d163560000000p+1f,
                    -0x1.d399960000000p-3f},
                   1.67326319217681884765625f, 1.05070102214813232421875f),
            (Floats{-0x1.c0f3bc0000000p-2f, -0x1.c928620000000p-1f, -0x1.b6356e0000000p+0f,
                    -0x1.6f7ec80000000p-2f}));
  EXPECT_EQ(mapped(ort_functions.hard_swish, {0x1.52cc660000000p+0f, -0x1.f8277a0000000p+0f,
                                              -0x1.3d27bc0000000p+1f, -0x1.41a0c60000000p+0f}),
            (Floats{0x1.e841da0000000p-1f, -0x1.5a674e0000000p-2f, -0x1.b9ab940000000p-3f,
                    -0x1.75de7c0000000p-2f}));
  EXPECT_EQ(mapped(ort_functions.mish, {0x1.b609540000000p-1f, -0x1.2444d20000000p+0f,
                                        -0x1.25bc800000000p-2f, 0x1.10fce40000000p+1f}),
            (Floats{0x1.6e76940000000p-1f, -0x1.3be4f20000000p-2f, -0x1.2a69180000000p-3f,
                    0x1.0aed220000000p+1f}));
}

TEST(OrtFunctions, the_last_three_elements_are_the_c_librarys) {
  const float x = 0.8116f;
  Floats y(5);
  ort_eigen_log(Floats(5, x), y);
  EXPECT_EQ(y[4], std::log(x));
  EXPECT_EQ(y[0], y[3]);
}

Floats reduced(RealReduction kind, const Floats& x, std::vector<std::int64_t> shape,
               std::vector<std::uint8_t> axes, std::size_t count) {
  Floats y(count);
  ort_reduce(kind, x, shape, axes, y);
  return y;
}

TEST(OrtReduce, sums_by_vectors_only_where_rows_are_whole) {
  const float big = 16777216.0f;  // 1 is lost beside it
  const Floats x{big, 1, 1, 1, -big, 1, 1, 1};
  EXPECT_EQ(reduced(RealReduction::sum, x, {1, 8}, {0, 1}, 1)[0],
            6.0f);  // lanes: big and -big meet first
  EXPECT_EQ(reduced(RealReduction::l1, x, {1, 8}, {0, 1}, 1)[0],
            33554432.0f);  // one by one: every 1 is lost
  EXPECT_EQ(reduced(RealReduction::l1, x, {8}, {1}, 1)[0], 33554436.0f);  // all axes: by vectors
  EXPECT_EQ(reduced(RealReduction::sum, {1, 2, 3, 4, 5, 6}, {3, 2}, {1, 0}, 2), (Floats{9, 12}));
  EXPECT_EQ(reduced(RealReduction::mean, {1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2}, {1, 0, 1}, 2),
            (Floats{3.5f, 5.5f}));
  EXPECT_EQ(reduced(RealReduction::product, {1, 2, 3, 4}, {2, 2}, {0, 1}, 2), (Floats{2, 12}));
  EXPECT_EQ(reduced(RealReduction::sum, {1, 2, 3, 4}, {2, 2, 1, 1}, {0, 0, 1, 0}, 4),
            (Floats{1, 2, 3, 4}));
}

TEST(OrtReduce, takes_logarithms_from_the_greatest_element) {
  const auto y = reduced(RealReduction::log_sum_exp, {1000, 1000}, {2}, {1}, 1);
  EXPECT_EQ(y[0], 1000 + std::log(2.0f));
}

TEST(OrtNormalize, rows_and_planes_have_mean_zero_and_variance_one) {
  for (const std::size_t n : {3u, 13u}) {
    Floats x(n), y(n), ones(n, 1.0f);
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i * i);
    ort_normalize_row(x, y, ones.data(), nullptr, 0);
    double sum = 0, squares = 0;
    for (const float v : y) sum += v, squares += double{v} * v;
    EXPECT_NEAR(sum, 0, 1e-5);
    EXPECT_NEAR(squares / static_cast<double>(n), 1, 1e-5);
    Floats z(n);
    ort_normalize_plane(x, z, 1, 0, 0, 1);
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(y[i], z[i], 1e-5);
  }
}

// onnxruntime 1.30 (N100); 30000 takes the exact remainder.
TEST(OrtTrigonometry, gives_the_runtimes_bits_for_vectors_of_four) {
  using Map = void (*)(std::span<const float>, std::span<float>, float, float);
  struct Case {
    Map map;
    std::vector<float> x, y;
  };
  const std::vector<float> angles{0.3f, -2.5f, 40.0f, 30000.0f}, parts{0.3f, -0.4f, 0.9f, -0.99f};
  const Case cases[] = {
      {ort_sin, angles, {0x1.2e9cdap-2f, -0x1.326af2p-1f, 0x1.7d7f7ap-1f, -0x1.9af6f8p-1f}},
      {ort_cos, angles, {0x1.e921dep-1f, -0x1.9a2f7ep-1f, -0x1.5578e8p-1f, -0x1.315f36p-1f}},
      {ort_asin, parts, {0x1.38015cp-2f, -0x1.a564aap-2f, 0x1.1ea938p+0f, -0x1.6de3c8p+0f}},
      {ort_acos, parts, {0x1.441f62p+0f, 0x1.fb78ep+0f, 0x1.cdd9fap-2f, 0x1.8001cp+1f}},
      {ort_atan, parts, {0x1.2a73a6p-2f, -0x1.85a376p-2f, 0x1.773388p-1f, -0x1.8f8d0ep-1f}},
  };
  for (const Case& c : cases) {
    std::vector<float> y(4);
    c.map(c.x, y, 0, 0);
    EXPECT_EQ(y, c.y);
  }
}

}  // namespace
}  // namespace lockstep
