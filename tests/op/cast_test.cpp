#include <cmath>

#include <gtest/gtest.h>

#include "op/op_move.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Cast, cuts_reals_toward_zero_and_saturates) {
  const auto x = OpProblem("Cast").input<float>({5}, {-1.9f, 1.9f, 300.f, -1e30f, std::nanf("")});
  EXPECT_EQ(OpProblem(x).attr("to", std::string("int8")).run()[0],
            tensor<std::int8_t>({5}, {-1, 1, 127, -128, 0}));
  EXPECT_EQ(OpProblem(x).attr("to", std::string("int64")).run()[0],
            tensor<I>({5}, {-1, 1, 300, INT64_MIN, 0}));
}

TEST(Cast, wraps_integers_and_takes_what_is_not_zero_as_true) {
  const auto x = OpProblem("Cast").input<std::int32_t>({3}, {-1, 256, 0});
  EXPECT_EQ(OpProblem(x).attr("to", std::string("uint8")).run()[0],
            tensor<std::uint8_t>({3}, {255, 0, 0}));
  const auto truth = OpProblem(x).attr("to", std::string("bool")).run();
  EXPECT_EQ(truth[0].dtype(), DType::boolean);
  EXPECT_EQ(integers_of(truth[0]), (Shape{1, 1, 0}));
}

TEST(Cast, widens_float16_and_refuses_to_make_it) {
  Tensor half(DType::f16, {2});
  half.as<std::uint16_t>()[0] = 0x3e00;
  half.as<std::uint16_t>()[1] = 0xc000;
  EXPECT_EQ(OpProblem("Cast").add(half, {}, false).attr("to", std::string("float32")).run()[0],
            tensor<float>({2}, {1.5f, -2.f}));
  EXPECT_FALSE(
      OpProblem("Cast").input<float>({1}, {1}).attr("to", std::string("float16")).try_run().ok());
}

}  // namespace
}  // namespace lockstep
