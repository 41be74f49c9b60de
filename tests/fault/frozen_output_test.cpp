#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(FrozenOutput, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "frozen-output", "conv2"},
           FaultCase{code_network, "frozen-output", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "frozen-output");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(FrozenOutput, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "stale-output", "conv2"},
           FaultCase{code_network, "torn-output", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "frozen-output");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
