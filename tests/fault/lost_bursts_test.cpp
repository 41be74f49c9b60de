#include "fault/fault_input.h"
#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(LostBursts, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "lost-bursts", "conv2"},
           FaultCase{code_network, "lost-bursts,size=32,shift=4", "conv"},
           FaultCase{code_network, "lost-bursts,size=64,shift=2,at=0.3", "conv"},
           FaultCase{code_network, "lost-bursts,size=8,shift=0", "conv"},
           FaultCase{picture_network, "lost-bursts,size=2,shift=0,share=0.1", "conv2"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "lost-bursts");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(LostBursts, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "stale-lines", "conv2"},
           FaultCase{code_network, "output-shifted", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "lost-bursts");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

// Each burst slips behind a place of its own.
TEST(LostBursts, are_found_wherever_in_a_burst_the_slip_begins) {
  const Executor e = code_network();
  const auto in = random_samples(e, 2, 77);
  Capture captured = reference(e, in);
  for (std::size_t run = 0; run < 2; ++run) {
    Tensor& y = captured.samples[run].at(site_value(site_at(e, "conv")).name);
    const Tensor right = y;
    const std::int64_t places[] = {9, 64 + 21, 192 + 60};
    for (const std::int64_t at : places)
      for (std::int64_t i = at; i < (at / 64 + 1) * 64; ++i) y.set_code(i, right.code(i - 2));
  }
  const Gathered gathered = gather_evidence(site_at(e, "conv"), std::move(captured), in);
  const Best best = best_explanation(*find_fault("lost-bursts"), site_at(e, "conv"), gathered);
  EXPECT_GT(best.counts.differing, 20);
  EXPECT_EQ(best.counts.left, 0);
  EXPECT_EQ(best.params.at("shift"), 2);
}

}  // namespace
}  // namespace lockstep::test
