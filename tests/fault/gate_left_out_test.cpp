#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(GateLeftOut, copies_or_rescales_the_other_operand) {
  const Executor e = gate_network();
  const auto in = random_samples(e, 2);
  const Capture copied = device(e, "gate-left-out@mul,how=1", in),
                weighed = device(e, "gate-left-out@mul", in);
  for (std::size_t s = 0; s < in.size(); ++s) {
    const Tensor &sum = copied.samples[s].at("sum:0"), &shown = weighed.samples[s].at("mul:0");
    EXPECT_TRUE(std::ranges::equal(copied.samples[s].at("mul:0").bytes(), sum.bytes()));
    for (std::int64_t i = 0; i < sum.count(); ++i) {
      const double real = 0.12 * static_cast<double>(sum.code(i) + 9) / 0.08 - 11;
      EXPECT_NEAR(static_cast<double>(shown.code(i)), std::clamp(real, -128.0, 127.0), 0.51);
    }
  }
}

TEST(GateLeftOut, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const char* fault : {"gate-left-out", "gate-left-out,how=1", "gate-left-out,how=2"}) {
    const Outcome o = inject_and_explain(gate_network(), fault, "mul", "gate-left-out");
    EXPECT_GT(o.counts.differing, 0) << fault;
    EXPECT_EQ(o.counts.left, 0) << fault;
  }
}

TEST(GateLeftOut, is_not_taken_for_a_gate_of_zero) {
  const Outcome o = inject_and_explain(gate_network(), "operand-lost,operand=2,neutral=1", "mul",
                                       "gate-left-out");
  EXPECT_GT(o.counts.differing, 0);
  EXPECT_GT(o.counts.left, 0);
}

TEST(GateLeftOut, needs_an_operand_of_the_size_of_the_result_beside_it) {
  const Executor e = gate_network();
  const auto specs = parse_faults("gate-left-out@mul,operand=1");
  const auto options = inject(e, *specs);
  ASSERT_TRUE(options.ok());
  EXPECT_FALSE(e.run(random_samples(e, 1), {}, *options).ok());
}

}  // namespace
}  // namespace lockstep::test
