#include "fault/fault_input.h"
#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(OperandStale, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{gate_network, "operand-stale", "mul"},
           FaultCase{gate_network, "operand-stale,operand=2", "mul"},
           FaultCase{picture_network, "operand-stale,operand=2,frozen=1", "add"},
           FaultCase{picture_network, "operand-stale", "conv2"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "operand-stale");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(OperandStale, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{gate_network, "stale-output", "mul"},
           FaultCase{gate_network, "operand-lost", "mul"},
           FaultCase{gate_network, "operand-stale,line=32,seed=3", "mul"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "operand-stale");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

// The first run has none before it, and the other operand is read as it is: a + b, its average g,
// (a + b) g.
TEST(OperandStale, reads_what_the_operand_held_a_run_earlier) {
  const Executor e = gate_network();
  const auto in = random_samples(e, 3, 5);
  const std::string mul = site_value(site_at(e, "mul")).name,
                    sum = site_value(site_at(e, "sum")).name,
                    gate = site_value(site_at(e, "gate")).name;
  const Capture right = reference(e, in), stale = device(e, "operand-stale@mul,operand=1", in);
  EXPECT_EQ(stale.samples[0].at(mul), right.samples[0].at(mul));
  const Tensor* read[] = {&right.samples[1].at(sum), &right.samples[2].at(gate)};
  EXPECT_EQ(stale.samples[2].at(mul), (*e.run_node(e.graph().find_node("mul"), read))[0]);
  EXPECT_NE(stale.samples[2].at(mul), right.samples[2].at(mul));
}

TEST(OperandStale, is_no_fault_of_what_reads_the_network_input) {
  EXPECT_FALSE(find_fault("operand-stale")->applies(site_at(gate_network(), "sum")));
}

// Which lines are stale is not seen in the operand itself: they are found one by one, from what the
// node makes of them.
TEST(OperandStale, finds_the_stale_lines_by_replaying) {
  const Executor e = picture_network();
  const auto in = random_samples(e, 3, 77);
  const Site site = site_at(e, "conv2");
  const Gathered gathered =
      gather_evidence(site, device(e, "operand-stale@conv2,line=32,share=0.4", in), in);
  const FaultDef& fault = *find_fault("operand-stale");
  int asked = 0;
  const auto sets = fault.fit(site, gathered.evidence, [&](const Params& p) {
    ++asked;
    return static_cast<double>(explain(fault, site, p, gathered).left);
  });
  ASSERT_EQ(sets.size(), 1u);
  EXPECT_EQ(explain(fault, site, sets[0], gathered).left, 0);
  EXPECT_EQ(sets[0].at("line"), 32);
  EXPECT_LT(asked, 600);
}

}  // namespace
}  // namespace lockstep::test
