#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(ClipsBeforeZeroPoint, is_reproduced_to_the_bit_by_its_own_candidates) {
  const Outcome o = inject_and_explain(picture_network(), "clips-before-zero-point", "conv1",
                                       "clips-before-zero-point");
  EXPECT_GT(o.counts.differing, 0);
  EXPECT_EQ(o.counts.left, 0);
}

TEST(ClipsBeforeZeroPoint, does_not_explain_what_is_near) {
  const Outcome o =
      inject_and_explain(picture_network(), "output-zero-lost", "conv1", "clips-before-zero-point");
  EXPECT_GT(o.counts.differing, 0);
  EXPECT_GT(o.counts.left, 0);
}

}  // namespace
}  // namespace lockstep::test
