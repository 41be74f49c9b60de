#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(ByteOrder, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "byte-order", "conv2"},
           FaultCase{picture_network, "byte-order,width=2", "gemm"},
           FaultCase{picture_network, "byte-order,width=4,last=1", "conv2"},
           FaultCase{picture_network, "byte-order", "dequantize"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "byte-order");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ByteOrder, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "output-shifted,by=1", "conv2"},
           FaultCase{picture_network, "int8-as-float", "dequantize"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "byte-order");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
