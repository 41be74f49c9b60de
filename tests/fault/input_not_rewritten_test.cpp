#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(InputNotRewritten, is_reproduced_to_the_bit_by_its_own_candidates) {
  const Outcome o =
      inject_and_explain(code_network(), "input-not-rewritten", "x", "input-not-rewritten");
  EXPECT_GT(o.counts.differing, 0);
  EXPECT_EQ(o.counts.left, 0);
}

TEST(InputNotRewritten, does_not_explain_an_input_that_is_late_or_frozen) {
  for (const char* fault : {"stale-input", "stale-input,frozen=1"}) {
    const Outcome o = inject_and_explain(code_network(), fault, "x", "input-not-rewritten");
    EXPECT_GT(o.counts.differing, 0) << fault;
    EXPECT_GT(o.counts.left, 0) << fault;
  }
}

// Its first run is right, and every later one reads what the run before it left.
TEST(InputNotRewritten, leaves_the_first_run_alone_and_chains_the_others) {
  const Executor reference = code_network();
  const std::vector<Sample> sent = random_samples(reference, 3);
  const auto faults = parse_faults("input-not-rewritten");
  ASSERT_TRUE(faults.ok());
  const auto options = inject(reference, *faults);
  ASSERT_TRUE(options.ok()) << options.error().line();
  const auto right = reference.run(sent), device = reference.run(sent, {}, *options);
  ASSERT_TRUE(right.ok() && device.ok());
  EXPECT_EQ(right->samples[0], device->samples[0]);
  EXPECT_NE(right->samples[1], device->samples[1]);
  EXPECT_NE(device->samples[1], device->samples[2]);
}

}  // namespace
}  // namespace lockstep::test
