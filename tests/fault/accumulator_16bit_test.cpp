#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(Accumulator16bit, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "accumulator-16bit", "conv2"},
           FaultCase{picture_network, "accumulator-16bit,shift=2", "conv3"},
           FaultCase{picture_network, "accumulator-16bit,wraps=1", "gemm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "accumulator-16bit");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(Accumulator16bit, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "pair-saturation", "conv2"},
           FaultCase{picture_network, "multiplier-clipped", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "accumulator-16bit");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
