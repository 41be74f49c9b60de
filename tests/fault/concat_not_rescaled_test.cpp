#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

struct Case {
  Executor (*network)();
  const char *fault, *place;
};

TEST(ConcatNotRescaled, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const Case& c : {
           Case{picture_network, "concat-not-rescaled", "concat"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "concat-not-rescaled");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ConcatNotRescaled, does_not_explain_what_is_near) {
  for (const Case& c : {
           Case{picture_network, "stale-lines", "concat"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "concat-not-rescaled");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
