#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(OutputLayout, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "output-layout", "conv2"},
           FaultCase{picture_network, "output-layout,layout=1", "conv1"},
           FaultCase{picture_network, "output-layout,layout=2", "add"},
           FaultCase{code_network, "output-layout,layout=1", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "output-layout");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(OutputLayout, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "weights-transposed", "conv2"},
           FaultCase{picture_network, "output-shifted", "conv1"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "output-layout");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
