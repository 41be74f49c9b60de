#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(GroupSaturation, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "group-saturation", "conv2"},
           FaultCase{picture_network, "group-saturation,group=32", "gemm"},
           FaultCase{picture_network, "group-saturation,group=16,bias=1", "conv2"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "group-saturation");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(GroupSaturation, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "accumulator-16bit,shift=3", "conv2"},
           FaultCase{picture_network, "products-dropped", "gemm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "group-saturation");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
