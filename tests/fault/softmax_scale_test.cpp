#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

struct Case {
  Executor (*network)();
  const char *fault, *place;
};

TEST(SoftmaxScale, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const Case& c : {
           Case{picture_network, "softmax-scale", "softmax"},
           Case{picture_network, "softmax-scale,gamma=0.5", "softmax"},
           Case{picture_network, "softmax-scale,gamma=0.1", "softmax"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "softmax-scale");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(SoftmaxScale, does_not_explain_what_is_near) {
  for (const Case& c : {
           Case{picture_network, "softmax-wraps", "softmax"},
           Case{picture_network, "stale-output", "softmax"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "softmax-scale");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
