#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(OperandLayout, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "operand-layout", "conv2"},
           FaultCase{picture_network, "operand-layout,operand=2,layout=2", "add"},
           FaultCase{picture_network, "operand-layout,layout=1,sent=1", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "operand-layout");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(OperandLayout, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "operand-shifted", "conv2"},
           FaultCase{picture_network, "operand-rescale", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "operand-layout");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
