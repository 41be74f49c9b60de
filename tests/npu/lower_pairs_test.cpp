#include <gtest/gtest.h>

#include <algorithm>

#include "npu/lowered_net.h"
#include "npu/lowered_program.h"
#include "npu/lowered_run.h"

namespace lockstep {
namespace {

using test::Net;

// Codes that differ between the prediction and the simulated program, which the audit must pass.
std::int64_t wrong(const Graph& g) {
  const NpuProgram p = test::lowered(g);
  for (const NpuFinding& f : test::errors_in(p, g))
    ADD_FAILURE() << f.rule << " in epoch " << f.epoch << ": " << f.what;
  std::int64_t compared = 0;
  const std::int64_t differ = test::differences(g, p, compared);
  EXPECT_GT(compared, 0);
  return differ;
}

TEST(NpuLowerPairs, products_of_two_tensors_under_all_zero_points) {
  for (const std::int64_t za : {-128, -7, 0, 127})
    for (const std::int64_t zb : {-128, 0, 33}) {
      Net n(20);
      const ValueId x = n.input({1, 8, 5, 6});
      const ValueId a = n.conv(x, 8, {3, 3}, {1, 1}, {1, 1, 1, 1}, 1, za),
                    b = n.conv(x, 8, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, zb);
      EXPECT_EQ(wrong(n.finish(n.pair("Mul", a, b, {1, 8, 5, 6}, 0.09, -20))), 0)
          << za << " " << zb;
    }
}

TEST(NpuLowerPairs, a_second_operand_spread_over_the_map_its_rows_columns_or_channels) {
  const std::vector<Shape> shapes = {{1, 8, 1, 1}, {1, 1, 5, 6}, {1, 1, 1, 6}, {1, 8, 5, 1},
                                     {1, 8, 1, 6}, {1, 1, 5, 1}, {1, 1, 1, 1}};
  for (const char* op : {"Add", "Sub", "Mul"})
    for (const Shape& s : shapes) {
      Net n(21);
      const ValueId x = n.conv(n.input({1, 4, 5, 6}), 8, {3, 3}, {1, 1}, {1, 1, 1, 1}, 1, -3);
      EXPECT_EQ(wrong(n.finish(n.pair(op, x, n.codes(s, 0.02, -9), {1, 8, 5, 6}, 0.05, 4))), 0)
          << op << " " << s[1] << " " << s[2] << " " << s[3];
    }
}

TEST(NpuLowerPairs, a_constant_first_operand_and_a_gate_of_one_pixel) {
  Net n(22);
  const ValueId x = n.conv(n.input({1, 4, 5, 6}), 8, {3, 3}, {1, 1}, {1, 1, 1, 1}, 1, -3);
  const ValueId gate = n.conv(n.global(x), 8, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, -128);
  const ValueId gated = n.pair("Mul", x, gate, {1, 8, 5, 6}, 0.08, -128);
  EXPECT_EQ(
      wrong(n.finish(n.pair("Sub", n.codes({1, 8, 5, 6}, 0.03, 7), gated, {1, 8, 5, 6}, 0.1, 0))),
      0);
}

TEST(NpuLowerPairs, transpositions_of_three_axes) {
  for (const std::vector<std::int64_t>& perm :
       {std::vector<std::int64_t>{0, 2, 3, 1}, {0, 3, 1, 2}, {0, 1, 3, 2}, {0, 3, 2, 1}}) {
    Net n(23);
    const ValueId x = n.conv(n.input({1, 4, 5, 6}), 8, {3, 3}, {1, 1}, {1, 1, 1, 1}, 1, -3);
    EXPECT_EQ(wrong(n.finish(n.transposed(x, perm))), 0) << perm[1] << perm[2] << perm[3];
  }
  Net n(24);
  EXPECT_EQ(wrong(n.finish(n.transposed(n.requantized(n.input({6, 9})), {1, 0}))), 0);
}

}  // namespace
}  // namespace lockstep
