#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(InputWrongScale, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{code_network, "input-wrong-scale,scale=0.7,zero=12", "x"},
           FaultCase{code_network, "input-wrong-scale,scale=1,zero=-3", "x"},
           FaultCase{picture_network, "input-wrong-scale", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "input-wrong-scale");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(InputWrongScale, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{code_network, "zero-point-128", "x"},
           FaultCase{picture_network, "input-channels-reordered", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "input-wrong-scale");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
