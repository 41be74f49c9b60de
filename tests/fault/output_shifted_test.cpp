#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(OutputShifted, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "output-shifted", "conv2"},
           FaultCase{picture_network, "output-shifted,by=-20", "conv2"},
           FaultCase{code_network, "output-shifted,by=1", "relu"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "output-shifted");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(OutputShifted, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "padded-rows", "conv2"},
           FaultCase{code_network, "byte-order", "relu"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "output-shifted");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
