#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(MemoryAsleep, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "memory-asleep", "conv2"},
           FaultCase{code_network, "memory-asleep,value=165", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "memory-asleep");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(MemoryAsleep, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "poison-survives", "conv2"},
           FaultCase{code_network, "stale-output", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "memory-asleep");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(MemoryAsleep, is_tried_with_both_idle_bytes_where_its_place_was_not_captured) {
  const Executor e = picture_network();
  const auto sets = find_fault("memory-asleep")->candidates(site_at(e, "conv2"), {});
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_EQ(sets[0].at("value"), 0);
  EXPECT_EQ(sets[1].at("value"), 255);
}

}  // namespace
}  // namespace lockstep::test
