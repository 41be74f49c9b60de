#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(Add, spreads_operands_from_the_last_axis) {
  const auto y =
      OpProblem("Add").input<float>({2, 2}, {1, 2, 3, 4}).input<float>({2}, {10, 20}).run();
  EXPECT_EQ(y[0], (tensor<float>({2, 2}, {11, 22, 13, 24})));
}

// reals 3 and -1.5 at steps 0.5 and 0.25: 1.5 is code 15 at step 0.1
TEST(Add, adds_codes_of_different_steps) {
  const auto y = OpProblem("Add", "tflite-ref")
                     .input<std::int8_t>({1}, {6}, {{0.5}, {0}, -1})
                     .input<std::int8_t>({1}, {-3}, {{0.25}, {3}, -1})
                     .output({{0.1f}, {0}, -1})
                     .run();
  EXPECT_EQ(y[0].code(0), 15);
}

TEST(Add, saturates_codes_and_applies_the_fused_activation) {
  OpProblem p("Add", "tflite-ref");
  p.input<std::int8_t>({2}, {100, -100}, {{1.0}, {0}, -1})
      .input<std::int8_t>({2}, {100, -100}, {{1.0}, {0}, -1})
      .output({{1.0}, {-5}, -1});
  EXPECT_EQ(p.run()[0], (tensor<std::int8_t>({2}, {127, -128})));
  EXPECT_EQ(p.attr("activation", "relu").run()[0], (tensor<std::int8_t>({2}, {127, -5})));
}

// LiteRT's vectors take 16 of 17 words of one row and round an operand once; spread words are its
// reference's (N110).
TEST(Add, words_in_whole_vectors_of_a_row_are_rounded_once_in_tflite) {
  const std::vector<std::int16_t> a(17, 9383), b(17, -12024);
  std::vector<std::int16_t> want(17, -21358);
  want[16] = -21357;
  const auto sum = [&](Shape of_b, std::size_t count) {
    return OpProblem("Add", "tflite")
        .input<std::int16_t>({17}, a, {{8.2226f}, {0}, -1})
        .input<std::int16_t>(std::move(of_b),
                             {b.begin(), b.begin() + static_cast<std::ptrdiff_t>(count)},
                             {{8.3912f}, {0}, -1})
        .output({{1.1117f}, {0}, -1})
        .run()[0];
  };
  EXPECT_EQ(sum({17}, 17), (tensor<std::int16_t>({17}, want)));
  EXPECT_EQ(sum({1}, 1), (tensor<std::int16_t>({17}, std::vector<std::int16_t>(17, -21357))));
}

TEST(Add, refuses_shapes_that_do_not_meet) {
  const auto y = OpProblem("Add").input<float>({2}, {1, 2}).input<float>({3}, {1, 2, 3}).try_run();
  ASSERT_FALSE(y.ok());
  EXPECT_NE(y.error().what.find("[2]"), std::string::npos);
}

// N23 adds stored codes: operands of which only one is int8, held as uint8, answer as uint8 ones
// do.
TEST(Add, of_unsigned_codes_and_signed_ones_held_as_unsigned_is_that_of_unsigned_codes) {
  std::vector<std::uint8_t> a, b;
  std::vector<std::int8_t> b_signed;
  for (int i = 0; i < 4096; ++i) {
    a.push_back(static_cast<std::uint8_t>(i * 7));
    b.push_back(static_cast<std::uint8_t>(i * 13 + i / 256));
    b_signed.push_back(static_cast<std::int8_t>(b.back() - 128));
  }
  const auto answer = [&](bool is_signed, bool held) {
    OpProblem p("Add", "ort");
    p.input<std::uint8_t>({4096}, a, {{0.05f}, {131}, -1});
    is_signed ? p.input<std::int8_t>({4096}, b_signed, {{0.02f}, {-21}, -1})
              : p.input<std::uint8_t>({4096}, b, {{0.02f}, {107}, -1});
    if (held) p.attr("codes", std::string("unsigned"));
    return p.output({{0.1f}, {77}, -1}).run()[0];
  };
  EXPECT_EQ(answer(true, true), answer(false, false));
  EXPECT_NE(answer(true, false), answer(false, false));
}

}  // namespace
}  // namespace lockstep
