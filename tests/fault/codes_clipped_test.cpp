#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(CodesClipped, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "codes-clipped,low=0", "conv2"},
           FaultCase{picture_network, "codes-clipped,low=-40,high=30", "conv3"},
           FaultCase{code_network, "codes-clipped,high=10", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "codes-clipped");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(CodesClipped, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "poison-survives,value=0", "conv2"},
           FaultCase{picture_network, "output-zero-lost", "conv3"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "codes-clipped");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

// Any two codes are a clamp of any other two: a saturated softmax was once said to be clipped.
TEST(CodesClipped, is_not_what_makes_two_codes_of_two_others) {
  FaultProblem p;
  p.node("relu", "Relu", {p.input("x", DType::i8, {1, 64}, per_tensor(1, 0))});
  const Executor e = p.finish();
  Tensor right(DType::i8, {1, 64}), device(DType::i8, {1, 64});
  for (std::int64_t i = 0; i < 64; ++i) {
    right.set_code(i, i % 3 == 0 ? 127 : -128);
    device.set_code(i, i % 3 == 0 ? -8 : -127);
  }
  Evidence evidence;
  evidence.items.push_back({.in = {&right}, .expected = &right, .observed = &device});
  const Site site = site_at(e, "relu");
  EXPECT_TRUE(find_fault("codes-clipped")->candidates(site, evidence).empty());
  for (std::int64_t i = 0; i < 64; ++i)
    right.set_code(i, i), device.set_code(i, std::min<std::int64_t>(i, 40));
  EXPECT_FALSE(find_fault("codes-clipped")->candidates(site, evidence).empty());
}

}  // namespace
}  // namespace lockstep::test
