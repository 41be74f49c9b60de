#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

struct Case {
  Executor (*network)();
  const char *fault, *place;
};

TEST(StaleInput, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const Case& c : {
           Case{picture_network, "stale-input", "x"},
           Case{code_network, "stale-input,frozen=1", "x"},
           Case{code_network, "stale-input,first=1", "x"},
           Case{code_network, "stale-input,first=2", "x"},
           Case{picture_network, "stale-input,frozen=1,first=1", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "stale-input");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(StaleInput, does_not_explain_what_is_near) {
  for (const Case& c : {
           Case{picture_network, "stale-input-lines", "x"},
           Case{code_network, "torn-input", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "stale-input");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
