#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

struct Case {
  Executor (*network)();
  const char *fault, *place;
};

TEST(OutputChannelsExchanged, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const Case& c : {
           Case{picture_network, "output-channels-exchanged,turn=3", "conv2"},
           Case{picture_network, "output-channels-exchanged", "conv2"},
           Case{picture_network, "output-channels-exchanged,first=1,second=3", "conv1"},
           Case{picture_network, "output-channels-exchanged,first=0,second=2,count=2", "add"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "output-channels-exchanged");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(OutputChannelsExchanged, does_not_explain_what_is_near) {
  for (const Case& c : {
           Case{picture_network, "weights-transposed", "conv2"},
           Case{picture_network, "output-shifted", "conv1"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "output-channels-exchanged");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
