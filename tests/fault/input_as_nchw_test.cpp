#include "support/fault_problem.h"

namespace lockstep::test {
namespace {

Executor picture(Shape shape, const char* format = "tflite") {
  FaultProblem p(format);
  const ValueId x = p.input("x", DType::i8, std::move(shape), per_tensor(0.1, 3));
  p.node("relu", "Relu", {x});
  return p.finish();
}

TEST(InputAsNchw, reads_the_same_bytes_with_other_strides) {
  const Executor e = picture({1, 1, 3, 2});
  const std::int8_t sent[] = {1, 2, 3, 4, 5, 6};
  std::vector<Sample> in(1);
  in[0]["x"] = Tensor::of<std::int8_t>({1, 1, 3, 2}, sent);
  const Capture c = device(e, "input-as-nchw@x", in);
  // element (w, c) is byte 3 c + w
  const std::int8_t read[] = {1, 4, 2, 5, 3, 6};
  EXPECT_EQ(c.samples[0].at("x"), (Tensor::of<std::int8_t>({1, 1, 3, 2}, read)));
}

TEST(InputAsNchw, is_recovered_from_evidence) {
  const Executor e = picture({1, 4, 5, 3});
  const auto in = random_samples(e, 2);
  const Site site = site_at(e, "x");
  const FaultDef& fault = *find_fault("input-as-nchw");
  for (const char* text : {"input-as-nchw", "input-as-nchw,sent=1"}) {
    const auto own = gather_evidence(site, device(e, text, in), in);
    EXPECT_EQ(best_explanation(fault, site, own).counts.left, 0) << text;
  }
  const auto near = gather_evidence(site, device(e, "input-axes-swapped", in), in);
  EXPECT_GT(best_explanation(fault, site, near).counts.left, 60);
}

TEST(InputAsNchw, applies_to_channel_last_inputs_only) {
  const FaultDef& fault = *find_fault("input-as-nchw");
  const Executor last = picture({1, 4, 5, 3}), first = picture({1, 3, 4, 5}, "onnx");
  EXPECT_TRUE(fault.applies(site_at(last, "x")));
  EXPECT_FALSE(fault.applies(site_at(first, "x")));
}

}  // namespace
}  // namespace lockstep::test
