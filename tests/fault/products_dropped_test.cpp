#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(ProductsDropped, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "products-dropped", "conv2"},
           FaultCase{picture_network, "products-dropped,used=96", "gemm"},
           FaultCase{picture_network, "products-dropped,used=72,channel_first=1", "conv3"},
           FaultCase{picture_network, "products-dropped,used=72,padded=1", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "products-dropped");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ProductsDropped, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "weights-cut", "conv2"},
           FaultCase{picture_network, "operand-lost", "gemm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "products-dropped");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
