#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

struct Case {
  Executor (*network)();
  const char *fault, *place;
};

TEST(ResultOffset, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const Case& c : {
           Case{picture_network, "result-offset", "conv2"},
           Case{picture_network, "result-offset,by=-7", "add"},
           Case{picture_network, "result-offset,by=3", "gemm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "result-offset");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ResultOffset, does_not_explain_what_is_near) {
  for (const Case& c : {
           Case{picture_network, "result-rescaled", "conv2"},
           Case{picture_network, "requant-truncates", "conv2"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "result-offset");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
