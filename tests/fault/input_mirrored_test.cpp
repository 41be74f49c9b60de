#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

Tensor read_as(const Executor& e, const char* fault, const Tensor& sent) {
  std::vector<Sample> in(1);
  in[0]["x"] = sent;
  return device(e, fault, in).samples[0].at("x");
}

TEST(InputMirrored, mirrors_and_turns_a_picture_of_two_rows) {
  const Shape shape = {1, 1, 2, 3};
  const Executor e = input_alone(shape);
  const float sent[] = {1, 2, 3, 4, 5, 6};
  const Tensor x = Tensor::of<float>(shape, sent);
  const float expected[][6] = {
      {3, 2, 1, 6, 5, 4}, {4, 5, 6, 1, 2, 3}, {6, 5, 4, 3, 2, 1},
      {4, 1, 5, 2, 6, 3},  // turned clockwise: rows 4 1, 5 2, 6 3, read as two rows of three
      {3, 6, 2, 5, 1, 4}, {6, 3, 5, 2, 4, 1},
  };
  for (int how = 0; how < 6; ++how)
    EXPECT_EQ(read_as(e, ("input-mirrored,how=" + std::to_string(how)).c_str(), x),
              (Tensor::of<float>(shape, expected[how])))
        << how;
}

TEST(InputMirrored, keeps_channels_together_where_they_come_last) {
  const Shape shape = {1, 1, 3, 2};
  const float sent[] = {1, 2, 3, 4, 5, 6}, read[] = {5, 6, 3, 4, 1, 2};
  EXPECT_EQ(read_as(input_alone(shape, "tflite"), "input-mirrored", Tensor::of<float>(shape, sent)),
            (Tensor::of<float>(shape, read)));
}

TEST(InputMirrored, reverses_a_series_in_time) {
  const Shape shape = {1, 4};
  const float sent[] = {1, 2, 3, 4}, read[] = {4, 3, 2, 1};
  EXPECT_EQ(read_as(input_alone(shape), "input-mirrored", Tensor::of<float>(shape, sent)),
            (Tensor::of<float>(shape, read)));
}

TEST(InputMirrored, is_recovered_from_evidence_and_not_from_swapped_axes) {
  const Executor e = picture_network();
  const auto in = random_samples(e, 2);
  const Site site = site_at(e, "x");
  const FaultDef& fault = *find_fault("input-mirrored");
  for (int how = 0; how < 6; ++how) {
    const auto own =
        gather_evidence(site, device(e, "input-mirrored,how=" + std::to_string(how), in), in);
    const Best best = best_explanation(fault, site, own);
    EXPECT_GT(best.counts.differing, 0);
    EXPECT_EQ(best.counts.left, 0) << how;
    EXPECT_EQ(best.params.at("how"), how);
  }
  const auto near = gather_evidence(site, device(e, "input-axes-swapped", in), in);
  EXPECT_GT(best_explanation(fault, site, near).counts.left, 60);
}

TEST(InputMirrored, refuses_an_axis_that_the_input_has_not) {
  const Executor e = input_alone({1, 4});
  const auto specs = parse_faults("input-mirrored,how=2");
  const auto options = inject(e, *specs);
  ASSERT_TRUE(options.ok());
  std::vector<Sample> in(1);
  in[0]["x"] = Tensor(DType::f32, {1, 4});
  EXPECT_FALSE(e.run(in, {}, *options).ok());
}

}  // namespace
}  // namespace lockstep::test
