#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(DilationLost, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "dilation-lost", "conv2"},
           FaultCase{picture_network, "dilation-lost,anchor=1", "conv2"},
           FaultCase{picture_network, "dilation-lost,anchor=2", "conv2"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "dilation-lost");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(DilationLost, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "pads-asymmetric", "conv2"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "dilation-lost");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
