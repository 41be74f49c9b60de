// What `npu lower` must not write: a program of a part of the network.
#include <gtest/gtest.h>

#include <algorithm>

#include "npu/lower.h"
#include "npu/lowered_net.h"

namespace lockstep {
namespace {

using test::Net;

std::string refusal(const Graph& g) {
  const auto p = lower_to_npu(g, "net.program.json");
  return p.ok() ? "lowered" : p.error().line();
}
void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(NpuLowerRefuses, a_sum_whose_batch_would_be_dropped) {
  Net n(1);
  const ValueId a = n.reshaped(n.input({4, 8}), {4, 2, 2, 2});
  expect_part(refusal(n.finish(n.add_to(a, a))), "a batch of 4");
}

TEST(NpuLowerRefuses, a_sum_whose_fifth_axis_would_be_ignored) {
  Net n(2);
  const ValueId x = n.input({1, 2, 3, 4, 5});
  expect_part(refusal(n.finish(n.add_to(x, n.requantized(x)))), "5 axes");
}

TEST(NpuLowerRefuses, a_requantization_whose_batch_would_be_dropped) {
  Net n(3);
  expect_part(refusal(n.finish(n.requantized(n.reshaped(n.input({6, 4}), {2, 3, 4})))),
              "a batch of 2");
}

TEST(NpuLowerRefuses, a_requantization_of_five_axes) {
  Net n(4);
  expect_part(refusal(n.finish(n.requantized(n.input({1, 2, 3, 4, 5})))), "5 axes");
}

}  // namespace
}  // namespace lockstep
