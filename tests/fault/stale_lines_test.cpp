#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(StaleLines, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "stale-lines", "conv1"},
           FaultCase{picture_network, "stale-lines,seed=3", "add"},
           FaultCase{code_network, "stale-lines", "relu"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "stale-lines");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(StaleLines, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "poison-survives", "conv1"},
           FaultCase{picture_network, "operand-rescale", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "stale-lines");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
