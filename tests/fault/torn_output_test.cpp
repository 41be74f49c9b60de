#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(TornOutput, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "torn-output", "conv2"},
           FaultCase{code_network, "torn-output,at=0.9", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "torn-output");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(TornOutput, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "stale-lines,share=0.1", "conv2"},
           FaultCase{code_network, "clamp-lost", "relu"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "torn-output");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
