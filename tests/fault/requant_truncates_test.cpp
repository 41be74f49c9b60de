#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(RequantTruncates, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "requant-truncates", "conv2"},
           FaultCase{picture_network, "requant-truncates,toward_zero=1", "add"},
           FaultCase{picture_network, "requant-truncates", "pool"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "requant-truncates");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(RequantTruncates, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{code_network, "requant-rounding", "conv"},
           FaultCase{picture_network, "operand-rescale", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "requant-truncates");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
