#include <gtest/gtest.h>

#include <functional>

#include "npu/audit.h"
#include "npu/lowered_net.h"
#include "npu/lowered_program.h"

namespace lockstep {
namespace {

using test::Net;

// A convolution whose sums become codes, and an Add.
Graph two_layers() {
  Net n(3);
  const ValueId x = n.input({1, 8, 6, 6});
  const ValueId a = n.conv(x, 8, {3, 3}, {1, 1}, {1, 1, 1, 1});
  return n.finish(n.add_to(n.requantized(x), a));
}

std::vector<std::string> rules_after(const std::function<void(NpuUnit&)>& change) {
  const Graph g = two_layers();
  NpuProgram p = test::lowered(g);
  for (NpuEpoch& e : p.epochs)
    for (NpuUnit& u : e.units) change(u);
  return test::errors_of(p, g);
}

TEST(NpuAuditFlags, a_right_program_rounds_and_saturates_everywhere) {
  EXPECT_TRUE(rules_after([](NpuUnit&) {}).empty());
}

TEST(NpuAuditFlags, sums_that_are_cut_off_instead_of_rounded_are_an_error) {
  const auto found = rules_after([](NpuUnit& u) {
    if (u.id.kind == NpuKind::conv) u.fields["rounding_o"] = NpuField::of(0);
  });
  EXPECT_NE(std::ranges::find(found, "rounding-off"), found.end());
}

TEST(NpuAuditFlags, a_result_that_wraps_instead_of_saturating_is_an_error) {
  const auto found = rules_after([](NpuUnit& u) {
    if (u.id.kind == NpuKind::arith && u.fields.contains("dualinput"))
      u.fields["saturation_o"] = NpuField::of(0);
  });
  EXPECT_EQ(found, std::vector<std::string>{"saturation-off"});
}

}  // namespace
}  // namespace lockstep
