#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(PairSaturation, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "pair-saturation", "conv2"},
           FaultCase{picture_network, "pair-saturation,channel_first=1", "conv3"},
           FaultCase{picture_network, "pair-saturation", "gemm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "pair-saturation");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(PairSaturation, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "accumulator-16bit", "conv2"},
           FaultCase{picture_network, "group-saturation", "gemm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "pair-saturation");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
