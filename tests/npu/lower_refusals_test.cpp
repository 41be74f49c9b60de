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

TEST(NpuLowerRefuses, two_outputs_that_are_one_buffer) {
  Net n(5);
  const ValueId a = n.conv(n.input({1, 4, 5, 6}), 8, {3, 3}, {1, 1}, {0, 0, 0, 0}, 1, 5);
  n.output(a);
  const Graph g = n.finish(n.reshaped(a, {1, 8 * 3 * 4}));
  // In the file's order the reshaped tensor is a copy; of one pixel it would be the same bytes.
  const auto apart = lower_to_npu(g, "net.program.json");
  ASSERT_TRUE(apart.ok()) << apart.error().line();
  for (const ValueId out : g.outputs())
    EXPECT_TRUE(std::ranges::count(apart->buffers, g.value(out).name, &NpuBuffer::name) == 1)
        << g.value(out).name;

  Net m(5);
  const ValueId b = m.conv(m.input({1, 4, 3, 3}), 8, {3, 3}, {1, 1}, {0, 0, 0, 0}, 1, 5);
  m.output(b);
  const Graph same = m.finish(m.reshaped(b, {1, 8}));
  expect_part(refusal(same), "are the same bytes");
  std::vector<std::string> left_out;
  const auto p = lower_to_npu(same, "net.program.json", &left_out);
  ASSERT_TRUE(p.ok()) << p.error().line();
  ASSERT_EQ(left_out.size(), 1u);
  EXPECT_EQ(std::ranges::count(p->buffers, same.value(b).name, &NpuBuffer::name), 1);
}

TEST(NpuLowerRefuses, an_output_that_is_an_inputs_buffer) {
  Net n(6);
  const ValueId x = n.input({1, 8});
  n.output(n.requantized(x));
  expect_part(refusal(n.finish(n.reshaped(x, {8, 1}))), "are the same bytes");
}

TEST(NpuLowerRefuses, a_greatest_code_whose_clamp_would_be_lost) {
  Net n(7);
  expect_part(refusal(n.finish(n.max_pool(n.input({1, 4, 5, 6}), "relu"))), "relu");
  Net plain(7);
  EXPECT_EQ(refusal(plain.finish(plain.max_pool(plain.input({1, 4, 5, 6})))), "lowered");
}

TEST(NpuLowerRefuses, a_greatest_code_at_another_scale) {
  for (const bool zero : {false, true}) {
    Net n(8);
    const ValueId y = n.max_pool(n.input({1, 4, 5, 6}));
    if (zero)
      n.value_of(y).quant.zero[0] += 3;
    else
      n.value_of(y).quant.scale[0] *= 2;
    expect_part(refusal(n.finish(y)), "another scale or zero point");
  }
}

}  // namespace
}  // namespace lockstep
