#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(ConcatNotRescaled, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "concat-not-rescaled", "concat"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "concat-not-rescaled");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ConcatNotRescaled, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "stale-lines", "concat"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "concat-not-rescaled");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
