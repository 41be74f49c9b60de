#include "support/fault_problem.h"

namespace lockstep::test {
namespace {

// y = conv 1x1 of two channels with weights 1 and 1; the activation and the output's zero point as
// given.
Executor conv(const char* activation, std::int32_t y_zero, double y_scale = 0.1) {
  FaultProblem p;
  const ValueId x = p.input("x", DType::i8, {1, 2, 4, 8}, per_tensor(0.1, 0));
  const std::int8_t ones[] = {1, 1};
  const ValueId w = p.constant("w", Tensor::of<std::int8_t>({1, 2, 1, 1}, ones), per_tensor(1, 0));
  Attrs attrs;
  attrs.set("activation", std::string(activation));
  p.node("conv", "Conv", {x, w}, attrs, per_tensor(y_scale, y_zero));
  return p.finish();
}

TEST(ClampLost, lets_a_relu_pass_everything) {
  FaultProblem p;
  p.node("relu", "Relu", {p.input("x", DType::i8, {1, 64}, per_tensor(0.25, -28))});
  const Executor e = p.finish();
  const auto in = random_samples(e, 1);
  EXPECT_EQ(device(e, "clamp-lost@relu", in).samples[0].at("relu:0"), in[0].at("x"));
}

TEST(ClampLost, removes_a_fused_activation_and_nothing_else) {
  const Executor with = conv("relu", -20), without = conv("none", -20);
  const auto in = random_samples(with, 2);
  const Capture lost = device(with, "clamp-lost@conv", in), plain = reference(without, in),
                right = reference(with, in);
  EXPECT_EQ(lost.samples[1].at("conv:0"), plain.samples[1].at("conv:0"));
  EXPECT_NE(lost.samples[1].at("conv:0"), right.samples[1].at("conv:0"));
}

TEST(ClampLost, wraps_where_the_range_of_the_codes_was_the_clamp) {
  const Executor e = conv("none", -128);
  std::vector<Sample> in(1);
  in[0]["x"] = Tensor(DType::i8, {1, 2, 4, 8});
  in[0]["x"].set_code(0, -3);  // sum -3: code -131 saturates to -128, wraps to 125
  const Capture right = reference(e, in), lost = device(e, "clamp-lost@conv", in);
  EXPECT_EQ(right.samples[0].at("conv:0").code(0), -128);
  EXPECT_EQ(lost.samples[0].at("conv:0").code(0), 125);
  EXPECT_EQ(lost.samples[0].at("conv:0").code(1), -128);
}

TEST(ClampLost, keeps_the_lower_bound_of_a_relu6_when_asked) {
  const Executor relu6 = conv("relu6", -20), relu = conv("relu", -20);
  const auto in = random_samples(relu6, 1);
  EXPECT_EQ(device(relu6, "clamp-lost@conv,keeps_lower=1", in).samples[0].at("conv:0"),
            reference(relu, in).samples[0].at("conv:0"));
}

TEST(ClampLost, recovers_which_bound_is_lost) {
  const Executor e = conv("relu6", -20);
  const auto in = random_samples(e, 2);
  const Site site = site_at(e, "conv");
  for (const double keeps : {0.0, 1.0}) {
    const auto own = gather_evidence(
        site, device(e, "clamp-lost@conv,keeps_lower=" + std::to_string(keeps), in), in);
    const Best best = best_explanation(*find_fault("clamp-lost"), site, own);
    EXPECT_GT(best.counts.differing, 0);
    EXPECT_EQ(best.counts.left, 0);
    EXPECT_EQ(param(*find_fault("clamp-lost"), best.params, "keeps_lower"), keeps);
  }
  const auto near = gather_evidence(site, device(e, "stale-output@conv", in), in);
  EXPECT_GT(best_explanation(*find_fault("clamp-lost"), site, near).counts.left, 8);
}

}  // namespace
}  // namespace lockstep::test
