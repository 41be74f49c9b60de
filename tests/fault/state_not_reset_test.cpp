#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(StateNotReset, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const char* fault : {"state-not-reset", "state-not-reset,runs=2", "state-not-reset,on=2"}) {
    const Outcome o = inject_and_explain(state_network(), fault, "sum", "state-not-reset");
    EXPECT_GT(o.counts.differing, 0) << fault;
    EXPECT_EQ(o.counts.left, 0) << fault;
  }
}

TEST(StateNotReset, is_told_from_a_state_that_is_not_kept) {
  const Outcome o =
      inject_and_explain(state_network(), "operand-rescale", "sum", "state-not-reset");
  EXPECT_GT(o.counts.left, 0);
}

// In a stream: the sum of what was fed, where the first input was fed once more before.
TEST(StateNotReset, shifts_a_running_sum_by_what_came_before) {
  const Executor e = state_network();
  auto options = inject(e, *parse_faults("state-not-reset@sum"));
  ASSERT_TRUE(options.ok()) << options.error().line();
  options->state = StateMode::keep;
  const auto in = random_samples(e, 3, 8);
  const auto shown = e.run(in, {}, *options);
  ASSERT_TRUE(shown.ok()) << shown.error().line();
  std::vector<Sample> longer = in;
  longer.insert(longer.begin(), in[0]);
  RunOptions plain;
  plain.state = StateMode::keep;
  const auto right = e.run(longer, {}, plain);
  ASSERT_TRUE(right.ok());
  const std::string& y = e.graph().value(e.graph().states()[0].out).name;
  for (std::size_t run = 0; run < 3; ++run)
    EXPECT_EQ(shown->samples[run].at(y), right->samples[run + 1].at(y)) << run;
}

}  // namespace
}  // namespace lockstep::test
