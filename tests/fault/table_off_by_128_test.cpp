#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(TableOffBy128, is_reproduced_to_the_bit_by_its_own_candidates) {
  const Outcome o =
      inject_and_explain(activation_network(), "table-off-by-128", "sigmoid", "table-off-by-128");
  EXPECT_GT(o.counts.differing, 0);
  EXPECT_EQ(o.counts.left, 0);
}

TEST(TableOffBy128, does_not_explain_what_is_near) {
  const Outcome o =
      inject_and_explain(activation_network(), "slope-lost", "leaky", "table-off-by-128");
  EXPECT_GT(o.counts.differing, 0);
  EXPECT_GT(o.counts.left, 0);
}

}  // namespace
}  // namespace lockstep::test
