// What a fault proposes is counted in the work that it does, and ends by it.
#include "fault/fault_work.h"

#include "fault/fault_eval.h"
#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(Allowance, the_innermost_is_charged_and_refuses_what_it_no_longer_holds) {
  EXPECT_TRUE(spend(1e30)) << "none is set";
  Allowance outer(10);
  {
    Allowance inner(5);
    EXPECT_TRUE(spend(3));
    EXPECT_FALSE(spend(3));
    EXPECT_TRUE(inner.exceeded());
    EXPECT_TRUE(spend(2)) << "what was refused is not charged";
    EXPECT_EQ(inner.spent(), 5);
  }
  EXPECT_EQ(outer.spent(), 0);
  EXPECT_TRUE(spend(10));
  EXPECT_FALSE(outer.exceeded());
}

TEST(Allowance, an_evaluation_costs_what_its_node_does_and_is_refused_beyond) {
  const Executor e = picture_network();
  const Site site = site_at(e, "conv2");
  const auto in = random_samples(e, 1, 3);
  const Gathered g = gather_evidence(site, reference(e, in), in);
  const ChangedNode node(site, g.evidence.items[0].in);
  {
    Allowance own(1e12);
    ASSERT_TRUE(node.eval().ok());
    EXPECT_EQ(own.spent(), node_work(site.view(), 1));
  }
  Allowance little(node_work(site.view(), 1) / 2);
  const auto refused = node.eval();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().what, "more work than a proposal may do");
  EXPECT_EQ(little.spent(), 0);
}

// A device's tensors, a fifth of their codes replaced at random.
Capture noise(const Executor& network, const std::vector<Sample>& in, std::uint64_t seed) {
  Capture noisy = reference(network, in);
  Random random(seed);
  for (Sample& s : noisy.samples)
    for (auto& [name, t] : s)
      for (std::int64_t i = 0; i < t.count(); ++i)
        if (!is_float(t.dtype()) && random.unit() < 0.2)
          t.set_code(i, random.between(code_range(t.dtype()).low, code_range(t.dtype()).high));
  return noisy;
}

// Of noise, which nothing reproduces, every fault proposes within what it may do; and what is
// proposed of one noise and not of another has cost something.
class Proposals : public ::testing::TestWithParam<const FaultDef*> {};

TEST_P(Proposals, stay_within_what_they_may_do_and_pay_for_what_they_read) {
  constexpr double little = 3e6;
  const FaultDef& fault = *GetParam();
  for (const Executor& network : fault_networks()) {
    const auto in = random_samples(network, 3, 77);
    const Capture noisy = noise(network, in, 5), other = noise(network, in, 6);
    for (const Site& site : sites_of(network, fault)) {
      const Gathered g = gather_evidence(site, noisy, in), h = gather_evidence(site, other, in);
      Allowance own(little);
      const auto proposed = fault.candidates(site, g.evidence);
      EXPECT_LE(own.spent(), little);
      const double spent = own.spent();
      const bool reads = fault.candidates(site, h.evidence) != proposed;
      EXPECT_TRUE(!reads || spent > 0)
          << (site.node == no_id ? "an input" : network.graph().node(site.node).name);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, Proposals,
                         ::testing::ValuesIn(fault_table().begin(), fault_table().end()),
                         [](const auto& entry) {
                           std::string name(entry.param->name);
                           for (char& c : name)
                             if (c == '-') c = '_';
                           return name;
                         });

// One loop over blocks took minutes after its replays were used up.
TEST(FitBlocks, end_where_no_more_replays_are_to_be_had) {
  Tensor was(DType::i8, {4096}), is(DType::i8, {4096});
  for (std::int64_t i = 0; i < is.count(); ++i) is.set_code(i, 1);
  Evidence evidence;
  evidence.items.push_back({.in = {}, .expected = &is, .observed = nullptr, .previous = &was});
  const FaultDef& fault = *find_fault("stale-lines");
  const Executor e = picture_network();
  int asked = 0;
  const auto sets = fault.fit(site_at(e, "conv1"), evidence, [&](const Params&) {
    return ++asked > 40 ? std::numeric_limits<double>::infinity() : 1e6 - asked;
  });
  EXPECT_EQ(asked, 41);
  EXPECT_EQ(sets.size(), 1u);
}

}  // namespace
}  // namespace lockstep::test
