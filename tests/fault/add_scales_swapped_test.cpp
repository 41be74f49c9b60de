#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(AddScalesSwapped, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "add-scales-swapped", "add"},
           FaultCase{state_network, "add-scales-swapped", "sum"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "add-scales-swapped");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(AddScalesSwapped, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "add-scales-ignored", "add"},
           FaultCase{picture_network, "zero-point-ignored", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "add-scales-swapped");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
