#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(WeightsConstant, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "weights-constant", "conv2"},
           FaultCase{picture_network, "weights-constant,byte=255,bias=1", "gemm"},
           FaultCase{code_network, "weights-constant,byte=255", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "weights-constant");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(WeightsConstant, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "weights-cut", "conv2"},
           FaultCase{picture_network, "operand-lost", "gemm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "weights-constant");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
