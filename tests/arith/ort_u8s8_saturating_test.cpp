#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;

std::int64_t product(std::string_view arith, bool signed_codes) {
  OpProblem p("MatMul", arith);
  const QuantParams one{{1.0}, {0}, -1};
  if (signed_codes)
    p.input<std::int8_t>({1, 3}, {127, 127, 1}, one);
  else
    p.input<std::uint8_t>({1, 3}, {255, 255, 1}, one);
  p.constant<std::int8_t>({3, 1}, {127, 127, 1}, one).output({{1000.0}, {0}, -1});
  return p.run()[0].code(0);
}

// 255 * 127 twice is 64770, held at 32767; the third product stands alone: 32768 / 1000 against
// 64771 / 1000.
TEST(OrtU8S8Saturating, pairs_of_products_saturate_at_16_bits) {
  EXPECT_EQ(product("ort", false), 65);
  EXPECT_EQ(product("ort-u8s8-saturating", false), 33);
}

TEST(OrtU8S8Saturating, products_of_signed_codes_do_not) {
  EXPECT_EQ(product("ort-u8s8-saturating", true), product("ort", true));
}

// One input channel for each output: summed in 32 bits.
TEST(OrtU8S8Saturating, depthwise_convolutions_do_not) {
  const auto run = [](std::string_view arith) {
    return OpProblem("Conv", arith)
        .input<std::uint8_t>({1, 2, 1, 2}, {255, 255, 255, 255}, {{1.0}, {0}, -1})
        .constant<std::int8_t>({2, 1, 1, 2}, {127, 127, 127, 127}, {{1.0}, {0}, -1})
        .attr("group", std::int64_t{2})
        .output({{1000.0}, {0}, -1})
        .run()[0]
        .code(0);
  };
  EXPECT_EQ(run("ort-u8s8-saturating"), run("ort"));
}

}  // namespace
}  // namespace lockstep
