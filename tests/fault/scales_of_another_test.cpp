#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(ScalesOfAnother, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "scales-of-another", "conv2"},
           FaultCase{picture_network, "scales-of-another", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "scales-of-another");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ScalesOfAnother, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "output-zero-lost", "conv2"},
           FaultCase{picture_network, "operand-rescale", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "scales-of-another");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
