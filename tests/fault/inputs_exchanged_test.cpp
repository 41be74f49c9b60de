#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(InputsExchanged, feeds_each_with_what_was_sent_to_the_other) {
  const Executor e = gate_network();
  const auto in = random_samples(e, 2);
  for (const char* fault : {"inputs-exchanged@a", "inputs-exchanged@b", "inputs-exchanged"}) {
    const Capture shown = device(e, fault, in);
    for (std::size_t s = 0; s < in.size(); ++s) {
      EXPECT_EQ(shown.samples[s].at("a"), in[s].at("b")) << fault;
      EXPECT_EQ(shown.samples[s].at("b"), in[s].at("a")) << fault;
    }
  }
}

// Without a place each of three was once fed with the next one's, which is a rotation.
TEST(InputsExchanged, without_a_place_exchanges_the_first_two_of_three_and_no_more) {
  FaultProblem p;
  const QuantParams scale = per_tensor(0.1, 4);
  const ValueId a = p.input("a", DType::i8, {1, 8}, scale),
                b = p.input("b", DType::i8, {1, 8}, scale),
                c = p.input("c", DType::i8, {1, 8}, scale);
  const ValueId sum = p.node("sum", "Add", {a, b}, {}, scale);
  p.node("all", "Add", {sum, c}, {}, scale);
  const Executor e = p.finish();
  const auto in = random_samples(e, 2);
  const Capture shown = device(e, "inputs-exchanged", in);
  for (std::size_t s = 0; s < in.size(); ++s) {
    EXPECT_EQ(shown.samples[s].at("a"), in[s].at("b"));
    EXPECT_EQ(shown.samples[s].at("b"), in[s].at("a"));
    EXPECT_EQ(shown.samples[s].at("c"), in[s].at("c"));
  }
}

TEST(InputsExchanged, is_recovered_from_evidence_at_either_input) {
  const Executor e = gate_network();
  const auto in = random_samples(e, 2);
  for (const char* place : {"a", "b"}) {
    const Site site = site_at(e, place);
    const Best best =
        best_explanation(*find_fault("inputs-exchanged"), site,
                         gather_evidence(site, device(e, "inputs-exchanged@a", in), in));
    EXPECT_GT(best.counts.differing, 0);
    EXPECT_EQ(best.counts.left, 0) << place;
  }
}

TEST(InputsExchanged, needs_a_second_input_of_the_same_shape) {
  const Executor e = picture_network();
  EXPECT_FALSE(find_fault("inputs-exchanged")->applies(site_at(e, "x")));
}

}  // namespace
}  // namespace lockstep::test
