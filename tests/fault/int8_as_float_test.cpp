#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(Int8AsFloat, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "int8-as-float", "dequantize"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "int8-as-float");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(Int8AsFloat, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "byte-order", "dequantize"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "int8-as-float");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
