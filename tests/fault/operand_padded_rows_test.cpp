#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(OperandPaddedRows, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "operand-padded-rows", "conv2"},
           FaultCase{picture_network, "operand-padded-rows,operand=2,multiple=32", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "operand-padded-rows");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(OperandPaddedRows, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "operand-shifted", "conv2"},
           FaultCase{picture_network, "padded-rows", "conv2"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "operand-padded-rows");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
