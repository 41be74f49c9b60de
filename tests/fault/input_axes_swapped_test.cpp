#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(InputAxesSwapped, reads_height_as_width) {
  const Executor e = input_alone({1, 1, 2, 3});
  const float sent[] = {1, 2, 3, 4, 5, 6};
  std::vector<Sample> in(1);
  in[0]["x"] = Tensor::of<float>({1, 1, 2, 3}, sent);
  const float read[] = {1, 3, 5, 2, 4, 6};  // element (h, w) is float 2 w + h
  EXPECT_EQ(device(e, "input-axes-swapped", in).samples[0].at("x"),
            (Tensor::of<float>({1, 1, 2, 3}, read)));
}

TEST(InputAxesSwapped, keeps_channels_together_in_nhwc) {
  const Executor e = input_alone({1, 2, 2, 2}, "tflite");
  const float sent[] = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<Sample> in(1);
  in[0]["x"] = Tensor::of<float>({1, 2, 2, 2}, sent);
  const float read[] = {1, 2, 5, 6, 3, 4, 7, 8};
  EXPECT_EQ(device(e, "input-axes-swapped", in).samples[0].at("x"),
            (Tensor::of<float>({1, 2, 2, 2}, read)));
}

TEST(InputAxesSwapped, is_recovered_from_evidence_and_not_from_a_layout_fault) {
  const Executor e = input_alone({1, 3, 4, 5});
  const auto in = random_samples(e, 2);
  const Site site = site_at(e, "x");
  const FaultDef& fault = *find_fault("input-axes-swapped");
  const auto own = gather_evidence(site, device(e, "input-axes-swapped,sent=1", in), in);
  EXPECT_EQ(best_explanation(fault, site, own).counts.left, 0);
  const auto near = gather_evidence(site, device(e, "input-as-nhwc", in), in);
  EXPECT_GT(best_explanation(fault, site, near).counts.left, 60);
}

}  // namespace
}  // namespace lockstep::test
