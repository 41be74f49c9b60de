#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

struct Case {
  Executor (*network)();
  const char *fault, *place;
};

TEST(PoisonSurvives, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const Case& c : {
           Case{picture_network, "poison-survives", "conv2"},
           Case{code_network, "poison-survives,value=170,seed=4", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "poison-survives");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

// Codes below one that are all gone were clipped, wherever they stand: this was once named as poison, as certain.
TEST(PoisonSurvives, does_not_list_the_places_of_clipped_codes) {
  for (const char* clipped : {"codes-clipped,low=-20", "codes-clipped,high=35"}) {
    const Outcome o = inject_and_explain(picture_network(), clipped, "conv2", "poison-survives");
    EXPECT_GT(o.counts.differing, 0) << clipped;
    EXPECT_EQ(o.counts.left, o.counts.differing) << clipped;
  }
}

TEST(PoisonSurvives, does_not_explain_what_is_near) {
  for (const Case& c : {
           Case{picture_network, "stale-lines", "conv2"},
           Case{code_network, "lost-bursts", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "poison-survives");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
