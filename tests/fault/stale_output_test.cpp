#include "support/fault_problem.h"

namespace lockstep::test {
namespace {

Executor chain() {
  FaultProblem p;
  const ValueId x = p.input("x", DType::i8, {1, 64}, per_tensor(0.25, -28));
  p.node("second", "Relu", {p.node("first", "Relu", {x})});
  return p.finish();
}

TEST(StaleOutput, yields_what_the_node_made_one_run_earlier) {
  const Executor e = chain();
  const auto in = random_samples(e, 4);
  const Capture right = reference(e, in), c = device(e, "stale-output@second", in);
  EXPECT_EQ(c.samples[0].at("second:0"), right.samples[0].at("second:0"));
  for (std::size_t s = 1; s < 4; ++s) {
    EXPECT_EQ(c.samples[s].at("second:0"), right.samples[s - 1].at("second:0")) << s;
    EXPECT_EQ(c.samples[s].at("first:0"), right.samples[s].at("first:0"));
  }
}

TEST(StaleOutput, starts_anew_when_the_device_runs_again) {
  const Executor e = chain();
  const auto in = random_samples(e, 2);
  const auto options = inject(e, *parse_faults("stale-output@first"));
  ASSERT_TRUE(options.ok());
  const auto once = e.run(in, {}, *options), again = e.run(in, {}, *options);
  ASSERT_TRUE(once.ok() && again.ok());
  EXPECT_EQ(once->samples[0], again->samples[0]);
  EXPECT_EQ(once->samples[1], again->samples[1]);
}

TEST(StaleOutput, is_explained_over_several_runs_and_says_nothing_of_one) {
  const Executor e = chain();
  const auto in = random_samples(e, 4);
  const Site site = site_at(e, "first");
  const FaultDef& fault = *find_fault("stale-output");
  const auto own = gather_evidence(site, device(e, "stale-output@first", in), in);
  const Best best = best_explanation(fault, site, own);
  EXPECT_TRUE(best.found);
  EXPECT_GT(best.counts.differing, 64);
  EXPECT_EQ(best.counts.left, 0);
  const std::vector<Sample> one(in.begin(), in.begin() + 1);
  EXPECT_TRUE(
      fault
          .candidates(site,
                      gather_evidence(site, device(e, "stale-output@first", one), one).evidence)
          .empty());
}

TEST(StaleOutput, is_not_a_lost_clamp) {
  const Executor e = chain();
  const auto in = random_samples(e, 4);
  const Site site = site_at(e, "first");
  const auto near = gather_evidence(site, device(e, "clamp-lost@first", in), in);
  EXPECT_GT(best_explanation(*find_fault("stale-output"), site, near).counts.left, 64);
}

}  // namespace
}  // namespace lockstep::test
