#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(SoftmaxScale, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "softmax-scale", "softmax"},
           FaultCase{picture_network, "softmax-scale,gamma=0.5", "softmax"},
           FaultCase{picture_network, "softmax-scale,gamma=0.1", "softmax"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "softmax-scale");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(SoftmaxScale, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "softmax-wraps", "softmax"},
           FaultCase{picture_network, "stale-output", "softmax"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "softmax-scale");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
