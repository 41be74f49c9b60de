#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(PoolDivisor, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "pool-divisor", "pool"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "pool-divisor");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(PoolDivisor, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "zero-point-ignored", "pool"},
           FaultCase{picture_network, "requant-truncates", "pool"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "pool-divisor");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
