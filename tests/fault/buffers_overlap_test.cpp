#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(BuffersOverlap, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "buffers-overlap", "conv2"},
           FaultCase{picture_network, "buffers-overlap,to=40,count=64,from=10", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "buffers-overlap");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(BuffersOverlap, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "stale-lines", "conv2"},
           FaultCase{picture_network, "memory-asleep", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "buffers-overlap");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
