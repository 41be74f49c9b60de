#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(ZeroPointIgnored, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "zero-point-ignored", "add"},
           FaultCase{picture_network, "zero-point-ignored,operand=2", "add"},
           FaultCase{picture_network, "zero-point-ignored,operand=0", "add"},
           FaultCase{picture_network, "zero-point-ignored,operand=2,unscaled=1", "add"},
           FaultCase{picture_network, "zero-point-ignored", "conv2"},
           FaultCase{picture_network, "zero-point-ignored", "pool"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "zero-point-ignored");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ZeroPointIgnored, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "output-zero-lost", "add"},
           FaultCase{picture_network, "pads-with-zero-code", "conv2"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "zero-point-ignored");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

// uint8 codes [1,6,5,4], channels first -> conv (3 x 3) -> flatten -> gemm; weights of uint8 with a
// zero point.
Executor unsigned_network(std::int32_t zero_of_kernel, std::int32_t zero_of_matrix) {
  FaultProblem p;
  const ValueId x = p.input("x", DType::u8, {1, 6, 5, 4}, per_tensor(0.5, 121));
  const ValueId k =
      p.constant("k", random_tensor(DType::u8, {8, 6, 3, 3}, 5), per_tensor(0.02, zero_of_kernel));
  const ValueId y = p.node("conv", "Conv", {x, k}, {}, per_tensor(12, 97), DType::u8);
  Attrs flat;
  flat.set("axis", std::int64_t{1});
  const ValueId f = p.node("flatten", "Flatten", {y}, flat, per_tensor(12, 97), DType::u8);
  Attrs rows;
  rows.set("transB", std::int64_t{1});
  const ValueId m =
      p.constant("m", random_tensor(DType::u8, {7, 48}, 6), per_tensor(0.01, zero_of_matrix));
  p.node("gemm", "Gemm", {f, m}, rows, per_tensor(120, 128), DType::u8);
  return p.finish();
}

// It was looked for in computed operands only.
TEST(ZeroPointIgnored, that_of_the_weights_is_found) {
  const Executor right = unsigned_network(131, 90);
  const auto inputs = random_samples(right, 3);
  for (const bool of_kernel : {true, false}) {
    const Executor other = of_kernel ? unsigned_network(0, 90) : unsigned_network(131, 0);
    const Site site = site_at(right, of_kernel ? "conv" : "gemm");
    const Best best = best_explanation(*find_fault("zero-point-ignored"), site,
                                       gather_evidence(site, reference(other, inputs), inputs));
    EXPECT_GT(best.counts.differing, 0);
    EXPECT_EQ(best.counts.left, 0);
    ASSERT_TRUE(best.found);
    EXPECT_EQ(best.params.at("operand"), 2);
  }
}

}  // namespace
}  // namespace lockstep::test
