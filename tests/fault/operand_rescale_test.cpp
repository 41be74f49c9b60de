#include "support/fault_problem.h"

namespace lockstep::test {
namespace {

// The residual Add of case s1: scales 0.052 and 0.099 into 0.049.
Executor residual(const char* activation = "none", std::int32_t y_zero = -17) {
  FaultProblem p;
  const ValueId a = p.input("a", DType::i8, {1, 16, 1, 48}, per_tensor(0.052, -20));
  const ValueId b = p.input("b", DType::i8, {1, 16, 1, 48}, per_tensor(0.099, -40));
  Attrs attrs;
  attrs.set("activation", std::string(activation));
  p.node("add", "Add", {a, b}, attrs, per_tensor(0.049, y_zero));
  return p.finish();
}

// Three operands of their own scales, joined along the channels.
Executor joined() {
  FaultProblem p;
  const ValueId a = p.input("a", DType::i8, {1, 4, 6, 6}, per_tensor(0.052, -20));
  const ValueId b = p.input("b", DType::i8, {1, 2, 6, 6}, per_tensor(0.061, -40));
  const ValueId c = p.input("c", DType::i8, {1, 3, 6, 6}, per_tensor(0.049, -17));
  Attrs attrs;
  attrs.set("axis", std::int64_t{1});
  p.node("join", "Concat", {a, b, c}, attrs, per_tensor(0.07, -17));
  return p.finish();
}

// Small codes, so that few sums saturate.
std::vector<Sample> quiet(const Executor& e, std::size_t runs) {
  std::vector<Sample> in(runs);
  std::uint64_t seed = 7;
  for (Sample& s : in) {
    s["a"] = random_tensor(DType::i8, {1, 16, 1, 48}, seed++, -60, 30);
    s["b"] = random_tensor(DType::i8, {1, 16, 1, 48}, seed++, -70, -10);
  }
  EXPECT_EQ(e.graph().inputs().size(), 2u);
  return in;
}

TEST(OperandRescale, computes_the_sum_with_one_scale_changed) {
  const Executor e = residual();
  std::vector<Sample> in(1);
  in[0]["a"] = Tensor(DType::i8, {1, 16, 1, 48});
  in[0]["b"] = Tensor(DType::i8, {1, 16, 1, 48});
  // a: 20 * 0.052 = 1.04; b: 40 * 0.099 = 3.96; (1.04 + 1.98) / 0.049 = 61.6 -> 62
  EXPECT_EQ(device(e, "operand-rescale@add,operand=2,k=0.5", in).samples[0].at("add:0").code(0),
            62 - 17);
  EXPECT_EQ(device(e, "operand-rescale@add,operand=1,k=2", in).samples[0].at("add:0").code(0),
            123 - 17);
  EXPECT_EQ(reference(e, in).samples[0].at("add:0").code(0), 102 - 17);
}

TEST(OperandRescale, finds_which_operand_of_a_Concat_lost_its_scale) {
  const Executor e = joined();
  std::vector<Sample> in(2);
  std::uint64_t seed = 3;
  for (Sample& s : in) {
    s["a"] = random_tensor(DType::i8, {1, 4, 6, 6}, seed++, -100, 60);
    s["b"] = random_tensor(DType::i8, {1, 2, 6, 6}, seed++, -100, 60);
    s["c"] = random_tensor(DType::i8, {1, 3, 6, 6}, seed++, -100, 60);
  }
  struct Case {
    double operand, k;
  };
  // As copied without rescaling, at another operand's scale, at any factor.
  for (const Case c : {Case{1, 0.07 / 0.052}, Case{2, 0.052 / 0.061}, Case{3, 1.37}}) {
    FaultSpec spec = (*parse_faults("operand-rescale@join"))[0];
    spec.params = {{"operand", c.operand}, {"k", c.k}};
    auto captured = e.run(in, {}, *inject(e, std::span(&spec, 1)));
    ASSERT_TRUE(captured.ok());
    const Site site = site_at(e, "join");
    const Best best = best_explanation(*find_fault("operand-rescale"), site,
                                       gather_evidence(site, *captured, in));
    EXPECT_GT(best.counts.differing, 20);
    EXPECT_EQ(best.counts.left, 0) << c.operand << " " << c.k;
    EXPECT_EQ(best.params.at("operand"), c.operand);
    EXPECT_NEAR(best.params.at("k"), c.k, 0.01 * c.k);
  }
}

TEST(OperandRescale, fits_operand_and_factor_and_snaps_to_what_has_a_reason) {
  const Executor e = residual();
  const auto in = quiet(e, 2);
  const Site site = site_at(e, "add");
  const FaultDef& fault = *find_fault("operand-rescale");
  struct Case {
    double operand, k;
  };
  for (const Case c : {Case{2, 0.5}, Case{1, 0.5}, Case{2, 2}, Case{1, 0.25},
                       Case{2, 0.052 / 0.099}, Case{2, 0.7}, Case{1, 1.37}}) {
    const auto specs = parse_faults("operand-rescale@add");
    FaultSpec spec = (*specs)[0];
    spec.params = {{"operand", c.operand}, {"k", c.k}};
    const auto options = inject(e, std::span(&spec, 1));
    auto captured = e.run(in, {}, *options);
    ASSERT_TRUE(captured.ok());
    const Best best = best_explanation(fault, site, gather_evidence(site, *captured, in));
    EXPECT_GT(best.counts.differing, 500);
    EXPECT_EQ(best.counts.left, 0) << c.operand << " " << c.k;
    EXPECT_EQ(best.params.at("operand"), c.operand);
    EXPECT_NEAR(best.params.at("k"), c.k, 1e-12) << "not snapped";
  }
}

TEST(OperandRescale, fits_through_saturation_and_a_fused_relu) {
  const Executor e = residual("relu");
  const auto in = random_samples(e, 2);  // full range: most sums are clamped
  const Site site = site_at(e, "add");
  const auto own = gather_evidence(site, device(e, "operand-rescale@add,operand=2,k=0.5", in), in);
  const Best best = best_explanation(*find_fault("operand-rescale"), site, own);
  EXPECT_EQ(best.counts.left, 0);
  EXPECT_EQ(best.params.at("k"), 0.5);
}

TEST(OperandRescale, ignores_a_tenth_of_the_elements_being_garbage) {
  const Executor e = residual();
  const auto in = quiet(e, 2);
  const Site site = site_at(e, "add");
  Capture c = device(e, "operand-rescale@add,operand=2,k=0.5", in);
  Random random(3);
  for (Sample& s : c.samples)
    for (std::int64_t i = 0; i < 768; i += 10) s.at("add:0").set_code(i, random.between(-128, 127));
  const Best best =
      best_explanation(*find_fault("operand-rescale"), site, gather_evidence(site, c, in));
  EXPECT_EQ(best.params.at("k"), 0.5);
}

TEST(OperandRescale, is_silent_about_a_healthy_sum_and_a_stale_one) {
  const Executor e = residual();
  const auto in = quiet(e, 3);
  const Site site = site_at(e, "add");
  const FaultDef& fault = *find_fault("operand-rescale");
  EXPECT_TRUE(fault.candidates(site, gather_evidence(site, reference(e, in), in).evidence).empty());
  EXPECT_TRUE(
      fault.candidates(site, gather_evidence(site, device(e, "stale-output@add", in), in).evidence)
          .empty());
}

TEST(OperandRescale, works_on_reals_and_under_broadcasting) {
  FaultProblem p;
  const ValueId a = p.input("a", DType::f32, {1, 3, 4, 5}), b = p.input("b", DType::f32, {3, 1, 1});
  p.node("add", "Add", {a, b});
  const Executor e = p.finish();
  const auto in = random_samples(e, 1);
  const Site site = site_at(e, "add");
  const auto own = gather_evidence(site, device(e, "operand-rescale@add,operand=2,k=0.5", in), in);
  const Best best = best_explanation(*find_fault("operand-rescale"), site, own);
  EXPECT_EQ(best.counts.left, 0);
  EXPECT_EQ(best.params.at("k"), 0.5);
}

}  // namespace
}  // namespace lockstep::test
