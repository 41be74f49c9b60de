#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(TornInput, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "torn-input", "x"},
           FaultCase{code_network, "torn-input,at=0.25", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "torn-input");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(TornInput, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{code_network, "stale-input-lines", "x"},
           FaultCase{code_network, "zero-point-128", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "torn-input");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
