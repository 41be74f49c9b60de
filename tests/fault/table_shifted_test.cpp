#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(TableShifted, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{activation_network, "table-shifted", "sigmoid"},
           FaultCase{activation_network, "table-shifted,by=-3,wraps=1", "leaky"},
           FaultCase{activation_network, "table-shifted,by=-5,wraps=2", "leaky"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "table-shifted");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(TableShifted, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{activation_network, "slope-lost", "leaky"},
           FaultCase{activation_network, "table-off-by-128", "sigmoid"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "table-shifted");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
