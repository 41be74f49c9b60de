#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(StaleInput, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "stale-input", "x"},
           FaultCase{code_network, "stale-input,frozen=1", "x"},
           FaultCase{code_network, "stale-input,first=1", "x"},
           FaultCase{code_network, "stale-input,first=2", "x"},
           FaultCase{picture_network, "stale-input,frozen=1,first=1", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "stale-input");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(StaleInput, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "stale-input-lines", "x"},
           FaultCase{code_network, "torn-input", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "stale-input");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
