#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(InputByteOrder, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "input-byte-order", "x"},
           FaultCase{code_network, "input-byte-order", "x"},
           FaultCase{code_network, "input-byte-order,width=2", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "input-byte-order");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(InputByteOrder, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{code_network, "input-padded-rows", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "input-byte-order");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
