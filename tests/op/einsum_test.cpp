#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

Tensor einsum(const std::string& equation, OpProblem problem) {
  return problem.attr("equation", equation).run()[0];
}

TEST(Einsum, multiplies_transposes_and_takes_diagonals) {
  const auto a = OpProblem("Einsum").input<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(einsum("ij->ji", a), tensor<float>({2, 2}, {1, 3, 2, 4}));
  EXPECT_EQ(einsum("ii->i", a), tensor<float>({2}, {1, 4}));
  EXPECT_EQ(einsum("ij->", a), tensor<float>({}, {10}));
  EXPECT_EQ(einsum("ij,kj->ik", OpProblem(a).input<float>({1, 2}, {10, 1})),
            tensor<float>({2, 1}, {12, 34}));
  EXPECT_EQ(einsum("ij, jk", OpProblem(a).input<float>({2, 1}, {10, 1})),
            tensor<float>({2, 1}, {12, 34}));
}

TEST(Einsum, keeps_the_axes_under_an_ellipsis) {
  const auto a = OpProblem("Einsum").input<float>({2, 2}, {1, 2, 3, 4}).input<float>({2}, {10, 1});
  EXPECT_EQ(einsum("...d,d->...", a), tensor<float>({2}, {12, 34}));
}

TEST(Einsum, refuses_labels_that_do_not_fit) {
  const auto a = OpProblem("Einsum").input<float>({2, 2}, {1, 2, 3, 4});
  for (const char* const equation : {"ijk->i", "ij->z", "ij,jk->ik", "i.j->i", "ij->ii"})
    EXPECT_FALSE(OpProblem(a).attr("equation", std::string(equation)).try_run().ok()) << equation;
}

}  // namespace
}  // namespace lockstep
