#include "num/ort_rows.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/random.h"
#include "num/ort_lanes.h"

namespace lockstep {
namespace {

struct Named {
  OrtRow row;
  float (*one)(float);
};
// Compiled here without vectors and without fused instructions.
constexpr Named functions[] = {
    {OrtRow::sigmoid, [](float v) { return ort_lanes::sigmoid(v); }},
    {OrtRow::tanh, [](float v) { return ort_lanes::tanh(v); }},
    {OrtRow::exp, [](float v) { return ort_lanes::exp(v); }},
    {OrtRow::erf, [](float v) { return ort_lanes::erf(v); }},
    {OrtRow::gelu, [](float v) { return ort_lanes::gelu(v); }},
    {OrtRow::gelu_tanh, [](float v) { return ort_lanes::gelu_tanh(v); }},
    {OrtRow::gru_reset, [](float v) { return ort_lanes::gru_reset(v); }},
    {OrtRow::gru_output, [](float v) { return ort_lanes::gru_output(v); }},
};

TEST(OrtRows, are_their_functions_one_by_one_to_the_bit) {
  Random random(5);
  std::vector<float> x = {0.0f,
                          -0.0f,
                          1e-40f,
                          -1e-40f,
                          0.921875f,
                          3.925f,
                          88.8f,
                          -103.98f,
                          -200.0f,
                          std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()};
  for (int i = 0; i < 30000; ++i) {
    x.push_back(static_cast<float>((random.unit() - 0.5) * std::ldexp(1.0, i % 12 - 3)));
    const auto bits = static_cast<std::uint32_t>(random.between(0, 4294967295));
    if (std::abs(std::bit_cast<float>(bits)) < 1e6f) x.push_back(std::bit_cast<float>(bits));
  }
  std::vector<float> y(x.size());
  for (const Named& f : functions) {
    ort_row(f.row, x.data(), y.data(), static_cast<std::int64_t>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float want = f.one(x[i]);
      if (std::isnan(want) && std::isnan(y[i])) continue;
      ASSERT_EQ(std::bit_cast<std::uint32_t>(want), std::bit_cast<std::uint32_t>(y[i]))
          << static_cast<int>(f.row) << " of " << x[i] << ": " << y[i] << ", " << want;
    }
  }
}

TEST(OrtRows, powers_of_two_are_reached_with_one_rounding) {
  for (int m = -160; m <= 130; ++m)
    for (const float v : {0.7071f, 1.0f, 1.41421f})
      EXPECT_EQ(ort_lanes::raised(v, static_cast<float>(m)), std::ldexp(v, m)) << v << " " << m;
}

}  // namespace
}  // namespace lockstep
