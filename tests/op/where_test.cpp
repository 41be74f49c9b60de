#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

OpProblem choice(Shape shape, std::vector<char> flags) {
  Tensor condition(DType::boolean, std::move(shape));
  for (std::size_t i = 0; i < flags.size(); ++i)
    condition.bytes()[i] = static_cast<std::byte>(flags[i]);
  return OpProblem("Where").add(std::move(condition), {}, false);
}

TEST(Where, chooses_element_by_element_and_stretches) {
  const auto y = choice({2, 1}, {1, 0}).input<float>({2}, {1, 2}).input<float>({}, {9}).run();
  EXPECT_EQ(y[0], tensor<float>({2, 2}, {1, 2, 9, 9}));
}

TEST(Where, chooses_rows_by_a_vector_where_the_format_says_so) {
  const auto rows =
      choice({2}, {0, 1}).input<I>({2, 2}, {1, 2, 3, 4}).input<I>({2, 2}, {5, 6, 7, 8});
  EXPECT_EQ(OpProblem(rows).run()[0], tensor<I>({2, 2}, {5, 2, 7, 4}));
  EXPECT_EQ(OpProblem(rows).attr("rows", I{1}).run()[0], tensor<I>({2, 2}, {5, 6, 3, 4}));
}

TEST(Where, refuses_codes_of_two_scales) {
  EXPECT_FALSE(choice({1}, {1})
                   .input<std::int8_t>({1}, {1}, {{0.5}, {0}, -1})
                   .input<std::int8_t>({1}, {2}, {{0.25}, {0}, -1})
                   .output({{0.5}, {0}, -1})
                   .try_run()
                   .ok());
}

}  // namespace
}  // namespace lockstep
