#include "support/fault_problem.h"

namespace lockstep::test {
namespace {

Executor picture(Shape shape) {
  FaultProblem p;
  const ValueId x = p.input("x", DType::i8, std::move(shape), per_tensor(0.1, 3));
  p.node("relu", "Relu", {x});
  return p.finish();
}

TEST(InputAsNhwc, reads_the_same_bytes_with_other_strides) {
  const Executor e = picture({1, 2, 1, 3});
  const std::int8_t sent[] = {1, 2, 3, 4, 5, 6};
  std::vector<Sample> in(1);
  in[0]["x"] = Tensor::of<std::int8_t>({1, 2, 1, 3}, sent);
  const Capture c = device(e, "input-as-nhwc@x", in);
  // element (c, w) is byte 2 w + c
  const std::int8_t read[] = {1, 3, 5, 2, 4, 6};
  EXPECT_EQ(c.samples[0].at("x"), (Tensor::of<std::int8_t>({1, 2, 1, 3}, read)));
}

TEST(InputAsNhwc, sent_the_other_way_is_the_inverse) {
  const Executor e = picture({1, 3, 4, 5});
  const auto in = random_samples(e, 1);
  const Capture there = device(e, "input-as-nhwc,sent=1", in);
  std::vector<Sample> again(1);
  again[0]["x"] = there.samples[0].at("x");
  EXPECT_EQ(device(e, "input-as-nhwc", again).samples[0].at("x"), in[0].at("x"));
}

TEST(InputAsNhwc, is_recovered_from_evidence_and_differs_from_a_spatial_swap) {
  const Executor e = picture({1, 3, 4, 5});
  const auto in = random_samples(e, 2);
  const Site site = site_at(e, "x");
  const FaultDef& fault = *find_fault("input-as-nhwc");
  const auto own = gather_evidence(site, device(e, "input-as-nhwc,sent=1", in), in);
  EXPECT_EQ(best_explanation(fault, site, own).counts.left, 0);
  EXPECT_GT(best_explanation(fault, site, own).counts.differing, 60);
  const auto near = gather_evidence(site, device(e, "input-axes-swapped", in), in);
  EXPECT_GT(best_explanation(fault, site, near).counts.left, 60);
}

TEST(InputAsNhwc, does_not_apply_where_nothing_would_move) {
  const FaultDef& fault = *find_fault("input-as-nhwc");
  const Executor flat = picture({1, 1, 4, 5}), point = picture({1, 7, 1, 1});
  EXPECT_FALSE(fault.applies(site_at(flat, "x")));
  EXPECT_FALSE(fault.applies(site_at(point, "x")));
}

}  // namespace
}  // namespace lockstep::test
