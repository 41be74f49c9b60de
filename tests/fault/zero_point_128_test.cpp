#include "support/fault_problem.h"

namespace lockstep::test {
namespace {

Executor coded(DType dtype, std::int32_t zero) {
  FaultProblem p;
  const ValueId x = p.input("x", dtype, {1, 256}, per_tensor(0.25, zero));
  p.node("relu", "Relu", {x}, {}, per_tensor(0.25, zero), dtype);
  return p.finish();
}

std::vector<Sample> every_code(DType dtype) {
  std::vector<Sample> in(1);
  in[0]["x"] = Tensor(dtype, {1, 256});
  for (std::int64_t i = 0; i < 256; ++i) in[0]["x"].set_code(i, i + code_range(dtype).low);
  return in;
}

TEST(ZeroPoint128, flips_the_top_bit_of_every_code) {
  for (const DType dtype : {DType::i8, DType::u8}) {
    const Executor e = coded(dtype, 5);
    const Tensor x = device(e, "zero-point-128", every_code(dtype)).samples[0].at("x");
    for (std::int64_t i = 0; i < 256; ++i)
      EXPECT_EQ(static_cast<unsigned>(x.code(i)) & 255u,
                (static_cast<unsigned>(i + code_range(dtype).low) ^ 0x80u) & 255u);
  }
}

TEST(ZeroPoint128, tells_wrapping_from_saturating) {
  const Executor e = coded(DType::i8, 5);
  const auto in = every_code(DType::i8);
  const Site site = site_at(e, "x");
  for (const double saturates : {0.0, 1.0, -1.0}) {
    const std::string text = "zero-point-128,saturates=" + std::to_string(saturates);
    const Best best = best_explanation(*find_fault("zero-point-128"), site,
                                       gather_evidence(site, device(e, text, in), in));
    EXPECT_EQ(best.counts.left, 0) << text;
    EXPECT_EQ(best.params.at("saturates"), saturates);
  }
  const auto near = gather_evidence(site, device(e, "input-quantized-twice", in), in);
  EXPECT_GT(best_explanation(*find_fault("zero-point-128"), site, near).counts.left, 100);
}

}  // namespace
}  // namespace lockstep::test
