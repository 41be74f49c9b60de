#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(StaleInputLines, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "stale-input-lines", "x"},
           FaultCase{code_network, "stale-input-lines,seed=5,share=0.1", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "stale-input-lines");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(StaleInputLines, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "input-axes-swapped", "x"},
           FaultCase{code_network, "zero-point-128", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "stale-input-lines");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
