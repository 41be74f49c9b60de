#include "support/fault_problem.h"

namespace lockstep::test {
namespace {

Executor coded() {
  FaultProblem p;
  const ValueId x = p.input("x", DType::i8, {1, 64}, per_tensor(0.25, -28));
  p.node("relu", "Relu", {x});
  return p.finish();
}

TEST(InputNotQuantized, stores_the_real_value_as_code) {
  const Executor e = coded();
  std::vector<Sample> in(1);
  in[0]["x"] = Tensor(DType::i8, {1, 64});
  const std::int8_t codes[] = {-28, -21, -25, 127, -35};
  for (std::int64_t i = 0; i < 5; ++i) in[0]["x"].set_code(i, codes[i]);
  const Tensor rounded = device(e, "input-not-quantized", in).samples[0].at("x");
  const Tensor cut = device(e, "input-not-quantized,truncates=1", in).samples[0].at("x");
  const std::int64_t nearest[] = {0, 2, 1, 39, -2},
                     truncated[] = {0, 1, 0, 38, -1};  // 0, 1.75, 0.75, 38.75, -1.75
  for (std::int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(rounded.code(i), nearest[i]) << i;
    EXPECT_EQ(cut.code(i), truncated[i]) << i;
  }
}

TEST(InputNotQuantized, recovers_how_it_rounds) {
  const Executor e = coded();
  const auto in = random_samples(e, 2);
  const Site site = site_at(e, "x");
  const auto own = gather_evidence(site, device(e, "input-not-quantized,truncates=1", in), in);
  const Best best = best_explanation(*find_fault("input-not-quantized"), site, own);
  EXPECT_EQ(best.counts.left, 0);
  EXPECT_EQ(best.params.at("truncates"), 1);
  const auto near = gather_evidence(site, device(e, "input-quantized-twice", in), in);
  EXPECT_GT(best_explanation(*find_fault("input-not-quantized"), site, near).counts.left, 64);
}

}  // namespace
}  // namespace lockstep::test
