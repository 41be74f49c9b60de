#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

struct Case {
  Executor (*network)();
  const char *fault, *place;
};

TEST(ResizeGrid, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const Case& c : {
           Case{real_network, "resize-grid", "resize"},
           Case{real_network, "resize-grid,grid=2", "resize"},
           Case{real_network, "resize-grid,grid=4,mode=1", "resize"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "resize-grid");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ResizeGrid, does_not_explain_what_is_near) {
  for (const Case& c : {
           Case{real_network, "stale-output", "resize"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "resize-grid");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
