#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

struct Case {
  Executor (*network)();
  const char *fault, *place;
};

TEST(BiasMisplaced, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const Case& c : {
           Case{picture_network, "bias-misplaced", "conv2"},
           Case{picture_network, "bias-misplaced,by=1", "conv2"},
           Case{picture_network, "bias-misplaced,by=-2", "conv1"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "bias-misplaced");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(BiasMisplaced, does_not_explain_what_is_near) {
  for (const Case& c : {
           Case{picture_network, "weights-shifted", "conv2"},
           Case{picture_network, "zero-point-ignored", "conv2"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "bias-misplaced");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
