#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(AddMultiplierClipped, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "add-multiplier-clipped", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "add-multiplier-clipped");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(AddMultiplierClipped, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "add-multiplier-wraps", "add"},
           FaultCase{picture_network, "operand-rescale,operand=1", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "add-multiplier-clipped");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
