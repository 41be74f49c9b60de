#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(SlopeLost, is_reproduced_to_the_bit_by_its_own_candidates) {
  const Outcome o = inject_and_explain(activation_network(), "slope-lost", "leaky", "slope-lost");
  EXPECT_GT(o.counts.differing, 0);
  EXPECT_EQ(o.counts.left, 0);
}

TEST(SlopeLost, does_not_explain_what_is_near) {
  const Outcome o =
      inject_and_explain(activation_network(), "table-off-by-128", "leaky", "slope-lost");
  EXPECT_GT(o.counts.differing, 0);
  EXPECT_GT(o.counts.left, 0);
}

}  // namespace
}  // namespace lockstep::test
