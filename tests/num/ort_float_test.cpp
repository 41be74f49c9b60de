#include "num/ort_float.h"
#include "num/ort_reduce.h"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

namespace lockstep {
namespace {

// The inputs and fingerprints below were given to and taken from onnxruntime 1.30.0 (x86-64,
// AVX-512, one thread): element i of a tensor is ((i * a + b) mod 1009 - 504) / 97 in float32.
std::vector<float> sequence(std::int64_t n, std::int64_t a, std::int64_t b) {
  std::vector<float> x(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i)
    x[static_cast<std::size_t>(i)] = static_cast<float>((i * a + b) % 1009 - 504) / 97.0f;
  return x;
}

// Sum of every element's bits times its place, so that one bit anywhere changes it.
std::uint64_t fingerprint(const std::vector<float>& y) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i)
    sum += std::uint64_t{std::bit_cast<std::uint32_t>(y[i])} * (i + 1);
  return sum;
}

TEST(OrtFloat, products_have_the_runtimes_bits) {
  struct Case {
    std::int64_t m, n, k;
    bool constant;
    std::uint64_t want;
  };
  const Case cases[] = {
      {1, 33, 100, false, 0x10550aca844u},   {5, 1, 77, false, 0x65e304c8fu},
      {12, 20, 700, false, 0x3b04290f6492u}, {33, 40, 300, false, 0x6a4ee5cc75db1u},
      {1, 33, 300, true, 0x142cc6c09ccu},    {6, 40, 600, true, 0x39ffcc920b4au}};
  for (const Case& c : cases) {
    const auto a = sequence(c.m * c.k, 7919, 3), b = sequence(c.k * c.n, 104729, 11);
    std::vector<float> y(static_cast<std::size_t>(c.m * c.n));
    ort_matrix({.m = c.m,
                .n = c.n,
                .k = c.k,
                .a = a.data(),
                .b = b.data(),
                .y = y.data(),
                .b_constant = c.constant});
    EXPECT_EQ(fingerprint(y), c.want) << c.m << " " << c.n << " " << c.k;
  }
}

TEST(OrtFloat, convolutions_have_the_runtimes_bits) {
  struct Case {
    std::int64_t c, h, w, f, kh, kw, g, d, p, s;
    bool blocked;
    std::uint64_t want;
  };
  const Case cases[] = {{16, 9, 9, 24, 1, 1, 1, 1, 0, 1, false, 0xed24cd6f2d06du},
                        {3, 17, 17, 8, 3, 3, 1, 1, 1, 2, false, 0x1cc181103dfd8u},
                        {32, 9, 9, 16, 3, 3, 1, 1, 1, 1, false, 0x69d7a72ad75bcu},
                        {32, 5, 5, 64, 3, 3, 1, 1, 1, 1, false, 0x9daa5313a71bau},
                        {12, 9, 9, 12, 3, 3, 12, 1, 1, 1, false, 0x4279dbc87daecu},
                        {8, 9, 9, 16, 3, 3, 8, 2, 2, 1, false, 0x70cb25ec65057u},
                        {8, 16, 16, 16, 7, 7, 8, 1, 3, 2, false, 0x44340d4e4b9f8u},
                        {20, 1, 1, 30, 1, 1, 1, 1, 0, 1, false, 0xf088bfb23eu},
                        {6, 7, 7, 6, 7, 7, 6, 1, 0, 1, false, 0x55c48fa65u},
                        {3, 17, 17, 16, 3, 3, 1, 1, 1, 2, true, 0x7239f5e07d251u},
                        {32, 9, 9, 32, 3, 3, 1, 1, 1, 1, true, 0x19f6b487178396u},
                        {160, 6, 6, 32, 1, 1, 1, 1, 0, 1, true, 0x52422b7731926u},
                        {32, 9, 9, 32, 3, 3, 32, 1, 1, 1, true, 0x1b5a210cfe1d1au}};
  for (const Case& c : cases) {
    const auto x = sequence(c.c * c.h * c.w, 7919, 3),
               w = sequence(c.f * c.c / c.g * c.kh * c.kw, 104729, 11);
    const auto bias = sequence(c.f, 31, 5);
    const std::int64_t oh = (c.h + 2 * c.p - (c.kh - 1) * c.d - 1) / c.s + 1;
    const std::int64_t ow = (c.w + 2 * c.p - (c.kw - 1) * c.d - 1) / c.s + 1;
    std::vector<float> y(static_cast<std::size_t>(c.f * oh * ow));
    ort_convolution({.groups = c.g,
                     .channels = c.c / c.g,
                     .filters = c.f / c.g,
                     .in = {1, c.h, c.w},
                     .kernel = {1, c.kh, c.kw},
                     .out = {1, oh, ow},
                     .strides = {1, c.s, c.s},
                     .dilations = {1, c.d, c.d},
                     .pads_begin = {0, c.p, c.p},
                     .pads_end = {0, c.p, c.p},
                     .x = x.data(),
                     .w = w.data(),
                     .bias = bias.data(),
                     .y = y.data(),
                     .blocked = c.blocked});
    EXPECT_EQ(fingerprint(y), c.want) << c.c << " " << c.f << " " << c.kh << " " << c.g;
  }
}

TEST(OrtFloat, functions_have_the_runtimes_bits) {
  const auto x = sequence(400, 7919, 3);
  std::vector<float> y(400);
  const auto of = [&](float (*f)(float)) {
    for (std::size_t i = 0; i < 400; ++i) y[i] = f(x[i]);
    return fingerprint(y);
  };
  EXPECT_EQ(of(ort_sigmoid), 0x4c6745644403u);
  EXPECT_EQ(of(ort_tanh), 0x9a53d49f9ac0u);
  EXPECT_EQ(of(ort_exp), 0x4db0d6bac745u);
  for (std::size_t row = 0; row < 400; row += 100)
    ort_softmax(std::span(x).subspan(row, 100), std::span(y).subspan(row, 100));
  EXPECT_EQ(fingerprint(y), 0x471bb5f5ac05u);
}

TEST(OrtFloat, means_have_the_runtimes_bits) {
  const auto x = sequence(3 * 9 * 11, 7919, 3);
  std::vector<float> y(3);
  ort_plane_mean(x.data(), 3, 99, y.data());
  EXPECT_EQ(fingerprint(y), 0x2eec15390u);
  struct Case {
    std::int64_t stride;
    bool include;
    std::uint64_t want;
  };
  for (const Case& c :
       {Case{1, false, 0x58d284c108eau}, {2, true, 0x696d0164666u}, {3, false, 0x117d4583e21u}}) {
    const std::int64_t oh = (9 - 1) / c.stride + 1, ow = (11 - 1) / c.stride + 1;
    y.assign(static_cast<std::size_t>(3 * oh * ow), 0);
    ort_window_mean({.planes = 3,
                     .in = {1, 9, 11},
                     .kernel = {1, 3, 3},
                     .out = {1, oh, ow},
                     .strides = {1, c.stride, c.stride},
                     .pads_begin = {0, 1, 1},
                     .pads_end = {0, 1, 1},
                     .include_pad = c.include,
                     .x = x.data(),
                     .y = y.data()});
    EXPECT_EQ(fingerprint(y), c.want) << c.stride;
  }
}

// By columns the great element would swallow the one below it: 0.
TEST(OrtFloat, means_of_windows_above_32_go_straight) {
  const auto mean = [](std::int64_t rows) {
    std::vector<float> x(static_cast<std::size_t>(rows * 3)), y(2);
    x[0] = x[2] = 1e8f, x[1] = -1e8f, x[3] = x[5] = 1;
    const WindowMeanProblem p{
        .in = {1, rows, 3}, .kernel = {1, rows, 2}, .out = {1, 1, 2}, .x = x.data(), .y = y.data()};
    EXPECT_EQ(ort_means_by_columns(p), rows <= 32);
    ort_window_mean(p);
    return y;
  };
  EXPECT_EQ(mean(32), (std::vector<float>{0, 0}));
  EXPECT_EQ(mean(33), (std::vector<float>{1.0f / 66, 1.0f / 66}));
}

TEST(OrtFloat, sums_have_the_runtimes_bits) {
  const auto x = sequence(3 * 9 * 11, 7919, 3);
  const auto over = [&](std::int64_t outer, std::int64_t reduced, std::int64_t inner) {
    std::vector<float> y(static_cast<std::size_t>(outer * inner));
    ort_reduce_sum(x.data(), outer, reduced, inner, y.data());
    return fingerprint(y);
  };
  EXPECT_EQ(over(1, 3, 99), 0x9db1fb6196du);
  EXPECT_EQ(over(3, 9, 11), 0x120e05bdf86u);
  EXPECT_EQ(over(27, 11, 1), 0xe23902a34du);
}

}  // namespace
}  // namespace lockstep
