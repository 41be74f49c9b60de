#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

struct Case {
  Executor (*network)();
  const char *fault, *place;
};

TEST(InputNormalizedWrongly, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const Case& c : {
           Case{picture_network, "input-normalized-wrongly", "x"},
           Case{picture_network, "input-normalized-wrongly,scale=0.00392156862745098", "x"},
           Case{picture_network, "input-normalized-wrongly,statistics=1", "x"},
           Case{picture_network, "input-normalized-wrongly,statistics=2", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "input-normalized-wrongly");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(InputNormalizedWrongly, does_not_explain_what_is_near) {
  for (const Case& c : {
           Case{picture_network, "input-channels-reordered", "x"},
           Case{picture_network, "input-not-quantized", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "input-normalized-wrongly");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
