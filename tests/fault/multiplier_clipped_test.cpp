#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(MultiplierClipped, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "multiplier-clipped", "gemm"},
           FaultCase{picture_network, "multiplier-clipped", "conv2"},
           FaultCase{code_network, "multiplier-clipped", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "multiplier-clipped");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(MultiplierClipped, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "accumulator-16bit", "gemm"},
           FaultCase{picture_network, "per-channel-as-per-tensor,which=1", "conv2"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "multiplier-clipped");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(MultiplierClipped, the_only_multiplier_of_a_layer_is_cut_to_no_limit_of_its_own) {
  const Outcome o =
      inject_and_explain(code_network(), "result-rescaled,k=0.77", "conv", "multiplier-clipped");
  EXPECT_GT(o.counts.differing, 0);
  EXPECT_GT(o.counts.left, 0);
}

}  // namespace
}  // namespace lockstep::test
