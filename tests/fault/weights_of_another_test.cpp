#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(WeightsOfAnother, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "weights-of-another", "conv2"},
           FaultCase{picture_network, "weights-of-another", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "weights-of-another");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(WeightsOfAnother, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "weights-shifted", "conv2"},
           FaultCase{picture_network, "weights-cut", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "weights-of-another");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
