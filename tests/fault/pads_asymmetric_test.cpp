#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(PadsAsymmetric, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "pads-asymmetric", "conv3"},
           FaultCase{picture_network, "pads-asymmetric,by=-1,axis=1", "conv1"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "pads-asymmetric");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(PadsAsymmetric, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "pads-with-zero-code", "conv3"},
           FaultCase{picture_network, "dilation-lost", "conv2"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "pads-asymmetric");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
