#include "fault/fault_input.h"
#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(OutputChannelsExchanged, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "output-channels-exchanged,turn=3", "conv2"},
           FaultCase{picture_network, "output-channels-exchanged", "conv2"},
           FaultCase{picture_network, "output-channels-exchanged,first=1,second=3", "conv1"},
           FaultCase{picture_network, "output-channels-exchanged,first=0,second=2,count=2", "add"},
       }) {
    const Outcome o =
        inject_and_explain(c.network(), c.fault, c.place, "output-channels-exchanged");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(OutputChannelsExchanged, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "weights-transposed", "conv2"},
           FaultCase{picture_network, "output-shifted", "conv1"},
       }) {
    const Outcome o =
        inject_and_explain(c.network(), c.fault, c.place, "output-channels-exchanged");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

// Boxes of two levels, joined along their places and not along channels.
TEST(OutputChannelsExchanged, operands_joined_the_other_way_round_along_another_axis) {
  FaultProblem p("tflite");
  const ValueId a = p.input("a", DType::i8, {1, 12, 3}, per_tensor(0.1, 4)),
                b = p.input("b", DType::i8, {1, 5, 3}, per_tensor(0.1, 4));
  Attrs attrs;
  attrs.set("axis", std::int64_t{1});
  p.node("join", "Concat", {a, b}, attrs, per_tensor(0.1, 4));
  const Executor e = p.finish();
  const auto in = random_samples(e, 2, 7);
  Capture captured = reference(e, in);
  for (std::size_t run = 0; run < 2; ++run)
    for (std::int64_t i = 0; i < 51; ++i)
      captured.samples[run]
          .at(site_value(site_at(e, "join")).name)
          .set_code(i, i < 15 ? in[run].at("b").code(i) : in[run].at("a").code(i - 15));
  const Gathered gathered = gather_evidence(site_at(e, "join"), std::move(captured), in);
  const Best best =
      best_explanation(*find_fault("output-channels-exchanged"), site_at(e, "join"), gathered);
  EXPECT_GT(best.counts.differing, 20);
  EXPECT_EQ(best.counts.left, 0);
  EXPECT_EQ(best.params.at("turn"), 12);
}

}  // namespace
}  // namespace lockstep::test
