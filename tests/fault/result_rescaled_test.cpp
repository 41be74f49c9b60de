#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(ResultRescaled, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "result-rescaled", "conv2"},
           FaultCase{picture_network, "result-rescaled,k=1.37", "gemm"},
           FaultCase{code_network, "result-rescaled,k=0.811", "conv"},
           FaultCase{picture_network, "result-rescaled,k=2", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "result-rescaled");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ResultRescaled, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "per-channel-as-per-tensor", "conv2"},
           FaultCase{picture_network, "output-zero-lost", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "result-rescaled");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
