#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(ChannelsRescaled, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "channels-rescaled", "conv2"},
           FaultCase{picture_network, "channels-rescaled,spread=0.2,shift=6,seed=3", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "channels-rescaled");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ChannelsRescaled, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "pair-saturation", "conv2"},
           FaultCase{picture_network, "operand-shifted", "gemm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "channels-rescaled");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
