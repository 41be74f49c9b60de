#include <algorithm>

#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(TailChannelsDropped, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "tail-channels-dropped", "conv2"},
           FaultCase{picture_network, "tail-channels-dropped,first=4,fill=1", "conv3"},
           FaultCase{code_network, "tail-channels-dropped", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "tail-channels-dropped");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(TailChannelsDropped, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "weights-cut", "conv2"},
           FaultCase{picture_network, "accumulator-16bit", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "tail-channels-dropped");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(TailChannelsDropped, any_of_few_channels_is_tried_where_nothing_is_known) {
  const Executor network = picture_network();  // three channels at its quantizer, 16 at conv1
  const auto sets =
      find_fault("tail-channels-dropped")->candidates(site_at(network, "quantize"), {});
  EXPECT_TRUE(std::ranges::count(sets, Params{{"first", 2.0}, {"fill", 0.0}})) << sets.size();
  EXPECT_TRUE(std::ranges::count(sets, Params{{"first", 2.0}, {"fill", 1.0}}))
      << "its zero point is 5";
  EXPECT_EQ(find_fault("tail-channels-dropped")->candidates(site_at(network, "conv1"), {}).size(),
            3u);
}

}  // namespace
}  // namespace lockstep::test
