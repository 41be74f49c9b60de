#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(EdgeNotComputed, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "edge-not-computed", "conv2"},
           FaultCase{picture_network, "edge-not-computed,axis=0,lost=2,fill=1", "conv3"},
           FaultCase{code_network, "edge-not-computed,fill=2", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "edge-not-computed");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(EdgeNotComputed, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "poison-survives,value=0", "conv2"},
           FaultCase{picture_network, "tail-channels-dropped", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "edge-not-computed");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
