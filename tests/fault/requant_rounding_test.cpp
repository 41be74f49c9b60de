#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(RequantRounding, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{code_network, "requant-rounding", "conv"},
           FaultCase{code_network, "requant-rounding,mode=1", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "requant-rounding");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(RequantRounding, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{code_network, "requant-truncates", "conv"},
           FaultCase{picture_network, "operand-rescale,k=0.99", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "requant-rounding");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
