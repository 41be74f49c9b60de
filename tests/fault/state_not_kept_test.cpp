#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(StateNotKept, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{state_network, "state-not-kept", "sum"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "state-not-kept");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(StateNotKept, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{state_network, "operand-rescale", "sum"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "state-not-kept");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
