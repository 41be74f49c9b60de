#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(CodesOffset, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "codes-offset", "conv2"},
           FaultCase{picture_network, "codes-offset,by=-37", "gemm"},
           FaultCase{code_network, "codes-offset,by=20,saturates=1", "conv"},
           FaultCase{picture_network, "codes-offset,by=128,saturates=1", "softmax"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "codes-offset");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(CodesOffset, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "zero-point-ignored", "conv2"},
           FaultCase{picture_network, "operand-lost", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "codes-offset");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
