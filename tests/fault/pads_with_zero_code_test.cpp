#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(PadsWithZeroCode, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "pads-with-zero-code", "conv2"},
           FaultCase{picture_network, "pads-with-zero-code", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "pads-with-zero-code");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(PadsWithZeroCode, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "zero-point-ignored", "conv2"},
           FaultCase{picture_network, "pads-asymmetric", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "pads-with-zero-code");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
