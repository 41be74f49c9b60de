#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(PerChannelAsPerTensor, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "per-channel-as-per-tensor", "conv2"},
           FaultCase{picture_network, "per-channel-as-per-tensor,which=1", "conv3"},
           FaultCase{picture_network, "per-channel-as-per-tensor,which=2", "conv1"},
       }) {
    const Outcome o =
        inject_and_explain(c.network(), c.fault, c.place, "per-channel-as-per-tensor");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(PerChannelAsPerTensor, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "channel-scales-misplaced", "conv2"},
           FaultCase{picture_network, "multiplier-power-of-two", "conv3"},
       }) {
    const Outcome o =
        inject_and_explain(c.network(), c.fault, c.place, "per-channel-as-per-tensor");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
