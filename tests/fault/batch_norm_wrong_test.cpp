#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(BatchNormWrong, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{real_network, "batch-norm-wrong", "norm"},
           FaultCase{real_network, "batch-norm-wrong,left_out=1", "norm"},
           FaultCase{real_network, "batch-norm-wrong,left_out=3", "norm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "batch-norm-wrong");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(BatchNormWrong, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{real_network, "stale-output", "norm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "batch-norm-wrong");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
