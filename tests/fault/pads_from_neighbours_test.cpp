#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(PadsFromNeighbours, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "pads-from-neighbours", "conv3"},
           FaultCase{picture_network, "pads-from-neighbours,from=1", "conv1"},
           FaultCase{picture_network, "pads-from-neighbours,from=2", "conv2"},
           FaultCase{picture_network, "pads-from-neighbours,from=4", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "pads-from-neighbours");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(PadsFromNeighbours, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "pads-with-zero-code", "conv3"},
           FaultCase{picture_network, "pads-asymmetric", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "pads-from-neighbours");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
