#include "support/fault_problem.h"

namespace lockstep::test {
namespace {

Executor coded(QuantParams quant) {
  FaultProblem p;
  const ValueId x = p.input("x", DType::i8, {1, 64}, std::move(quant));
  p.node("relu", "Relu", {x});
  return p.finish();
}

TEST(InputQuantizedTwice, takes_codes_as_reals_and_quantizes_again) {
  const Executor e = coded(per_tensor(0.5, 3));
  const std::int8_t codes[] = {3, 4, 10, -10, 100};
  std::vector<Sample> in(1);
  in[0]["x"] = Tensor(DType::i8, {1, 64});
  for (std::int64_t i = 0; i < 5; ++i) in[0]["x"].set_code(i, codes[i]);
  const Tensor x = device(e, "input-quantized-twice", in).samples[0].at("x");
  EXPECT_EQ(x.code(0), 9);  // 3 / 0.5 + 3
  EXPECT_EQ(x.code(2), 23);
  EXPECT_EQ(x.code(3), -17);
  EXPECT_EQ(x.code(4), 127);  // saturates
}

TEST(InputQuantizedTwice, is_explained_to_the_bit_and_is_not_a_missing_quantization) {
  const Executor e = coded(per_tensor(0.25, -5));
  const auto in = random_samples(e, 2);
  const Site site = site_at(e, "x");
  const auto own = gather_evidence(site, device(e, "input-quantized-twice", in), in);
  EXPECT_EQ(best_explanation(*find_fault("input-quantized-twice"), site, own).counts.left, 0);
  EXPECT_GT(best_explanation(*find_fault("input-not-quantized"), site, own).counts.left, 64);
}

TEST(InputQuantizedTwice, needs_an_input_that_becomes_codes) {
  FaultProblem p;
  p.node("relu", "Relu", {p.input("x", DType::f32, {1, 4})});
  const Executor e = p.finish();
  EXPECT_FALSE(find_fault("input-quantized-twice")->applies(site_at(e, "x")));
  const auto specs = parse_faults("input-quantized-twice@x");
  EXPECT_FALSE(inject(e, *specs).ok());
}

}  // namespace
}  // namespace lockstep::test
