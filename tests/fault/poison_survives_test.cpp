#include "fault/fault_describe.h"
#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(PoisonSurvives, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "poison-survives", "conv2"},
           FaultCase{code_network, "poison-survives,value=170,seed=4", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "poison-survives");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

// Codes below one that are all gone were clipped, wherever they stand: this was once named as
// poison, as certain.
TEST(PoisonSurvives, does_not_list_the_places_of_clipped_codes) {
  for (const char* clipped : {"codes-clipped,low=-20", "codes-clipped,high=35"}) {
    const Outcome o = inject_and_explain(picture_network(), clipped, "conv2", "poison-survives");
    EXPECT_GT(o.counts.differing, 0) << clipped;
    EXPECT_EQ(o.counts.left, o.counts.differing) << clipped;
  }
}

TEST(PoisonSurvives, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "stale-lines", "conv2"},
           FaultCase{code_network, "lost-bursts", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "poison-survives");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(PoisonSurvives, blocks_that_are_poison_in_every_run_are_stated_once) {
  const Executor network = picture_network();
  const Site site = site_at(network, "conv2");
  const FaultDef& fault = *find_fault("poison-survives");
  const Outcome o = inject_and_explain(network, "poison-survives,share=0.4,seed=3,value=0", "conv2",
                                       "poison-survives");
  ASSERT_EQ(o.counts.left, 0);
  Params one;
  for (const auto& [name, value] : o.params)
    if (!name.starts_with("r1.") && !name.starts_with("r2.")) one[name] = value;
  EXPECT_LT(one.size(), o.params.size());
  const double each = description_bits(site, fault, one),
               all = description_bits(site, fault, o.params);
  EXPECT_GT(all, each);
  EXPECT_LT(all, each + 16) << "and not three times what one run takes";
  Params unlike = o.params;
  unlike["r1.0.first"] += 1;
  EXPECT_GT(description_bits(site, fault, unlike), description_bits(site, fault, o.params));
}

}  // namespace
}  // namespace lockstep::test
