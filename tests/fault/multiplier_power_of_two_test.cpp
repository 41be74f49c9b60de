#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(MultiplierPowerOfTwo, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "multiplier-power-of-two", "conv2"},
           FaultCase{picture_network, "multiplier-power-of-two,direction=1", "gemm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "multiplier-power-of-two");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(MultiplierPowerOfTwo, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "per-channel-as-per-tensor", "conv2"},
           FaultCase{picture_network, "requant-truncates", "gemm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "multiplier-power-of-two");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
