#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(ResultOffset, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "result-offset", "conv2"},
           FaultCase{picture_network, "result-offset,by=-7", "add"},
           FaultCase{picture_network, "result-offset,by=3", "gemm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "result-offset");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ResultOffset, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "result-rescaled", "conv2"},
           FaultCase{picture_network, "requant-truncates", "conv2"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "result-offset");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ResultOffset, of_a_mean_is_what_its_own_kernel_makes_of_it) {
  FaultProblem p("tflite");
  const ValueId x = p.input("x", DType::i8, {1, 5, 5, 6}, per_tensor(0.04, 7));
  Attrs attrs;
  attrs.set("axes", std::vector<std::int64_t>{1, 2});
  attrs.set("keepdims", std::int64_t{0});
  p.node("mean", "ReduceMean", {x}, attrs, per_tensor(0.011, -20));
  const Executor e = p.finish();
  const auto in = random_samples(e, 3, 7);
  const Site site = site_at(e, "mean");
  const Gathered gathered = gather_evidence(site, device(e, "result-offset@mean,by=3", in), in);
  const Best best = best_explanation(*find_fault("result-offset"), site, gathered);
  EXPECT_GT(best.counts.differing, 10);
  EXPECT_EQ(best.counts.left, 0);
  EXPECT_EQ(best.params.at("by"), 3);
}

}  // namespace
}  // namespace lockstep::test
