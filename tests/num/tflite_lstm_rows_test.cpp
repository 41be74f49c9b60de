#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"
#include "num/lstm.h"
#include "num/tflite_fixed.h"

namespace lockstep {
namespace {

std::vector<std::int16_t> every_code() {
  std::vector<std::int16_t> x;
  for (int v = -32768; v <= 32767; ++v) x.push_back(static_cast<std::int16_t>(v));
  return x;
}

TEST(TfliteLstmRows, yield_the_functions_of_every_16_bit_code) {
  const auto x = every_code();
  const auto n = static_cast<std::int64_t>(x.size());
  std::vector<std::int16_t> y(x.size());
  tflite_lstm.sigmoid_row(x.data(), y.data(), n);
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], tflite_lstm.sigmoid(x[i])) << x[i];
  for (int bits = 0; bits <= 6; ++bits) {
    tflite_lstm.tanh_row(x.data(), bits, y.data(), n);
    for (std::size_t i = 0; i < x.size(); ++i)
      ASSERT_EQ(y[i], tflite_lstm.tanh(x[i], bits)) << x[i] << " " << bits;
  }
}

TEST(TfliteLstmRows, accumulate_as_one_by_one_with_and_without_what_was_before) {
  Random random(3);
  std::vector<std::int32_t> acc(333);
  std::vector<std::int16_t> before(acc.size()), y(acc.size());
  for (int trial = 0; trial < 300; ++trial) {
    const std::int64_t most = trial % 3 == 0 ? 2147483648 : 100000;
    for (auto& a : acc) a = static_cast<std::int32_t>(random.between(-most, most - 1));
    for (auto& b : before) b = static_cast<std::int16_t>(random.between(-32768, 32767));
    const Rescale r = fixed_multiplier(random.unit() * (trial % 2 == 0 ? 1e-3 : 5.0));
    for (const bool adds : {false, true}) {
      tflite_lstm.accumulate_row(acc.data(), r, adds ? before.data() : nullptr, y.data(),
                                 static_cast<std::int64_t>(acc.size()));
      for (std::size_t i = 0; i < acc.size(); ++i)
        ASSERT_EQ(y[i], tflite_lstm.accumulate(acc[i], r, adds ? before[i] : std::int16_t{0}))
            << acc[i] << " " << r.multiplier << " " << r.shift;
    }
  }
}

}  // namespace
}  // namespace lockstep
