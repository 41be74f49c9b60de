// Which of library, compiler and accelerator stands alone.
#include "diagnose/three_way.h"

#include <gtest/gtest.h>

#include "run/recording.h"
#include "support/folders.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

Answer ask(const std::string& target) {
  Request q;
  q.model = test::source_folder() + "/examples/s1/tcn_int8.onnx";
  q.input = test::source_folder() + "/examples/s1/golden.npz";
  q.target = target;
  auto made = answer(q);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().line());
  return std::move(*made);
}

ThreeWay compare_two(const std::string& a, const std::string& b) {
  const Answer x = ask(a), y = ask(b);
  auto made = three_way({}, x, a, y, b);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().line());
  return std::move(*made);
}

const std::string broken = "sim:operand-rescale@/block2/add,operand=2,k=0.5";

TEST(ThreeWay, one_wrong_device_beside_a_right_one_is_the_accelerator) {
  const ThreeWay t = compare_two(broken, "ort");
  EXPECT_TRUE(t.verdict.starts_with("the accelerator differs")) << t.verdict;
  ASSERT_GE(t.first, 0);
  EXPECT_EQ(t.rows[static_cast<std::size_t>(t.first)].name, "/block2/add");
}

TEST(ThreeWay, the_other_order_names_the_same_device) {
  const ThreeWay t = compare_two("ort", broken);
  EXPECT_TRUE(t.verdict.starts_with("the accelerator differs: B")) << t.verdict;
}

TEST(ThreeWay, one_error_in_both_builds_is_in_what_they_share) {
  const ThreeWay t = compare_two(broken, broken);
  EXPECT_TRUE(t.verdict.starts_with("A and B agree with each other and not with the reference"))
      << t.verdict;
}

TEST(ThreeWay, two_errors_at_one_place_are_told_apart) {
  const ThreeWay t = compare_two(broken, "sim:operand-rescale@/block2/add,operand=1,k=0.5");
  EXPECT_TRUE(t.verdict.starts_with("A and B differ from the reference here, each in its own way"))
      << t.verdict;
}

TEST(ThreeWay, a_later_error_of_the_other_is_not_the_same) {
  const ThreeWay t = compare_two(broken, "sim:operand-rescale@/block4/add,operand=2,k=0.5");
  EXPECT_TRUE(t.verdict.starts_with("A (" + broken)) << t.verdict;
}

TEST(ThreeWay, healthy_ones_agree) {
  EXPECT_EQ(compare_two("ort", "ort").verdict, "all three are equal on every value");
}

// "the accelerator differs" was said of a device whose recording held the samples in another order.
TEST(ThreeWay, a_recording_in_another_order_blames_nobody) {
  const test::TemporaryFolder scratch;
  Capture shuffled;
  {
    const Answer right = ask("ort");
    shuffled.samples = right.observed;
    for (const Row& row : right.verdict.comparison.rows) {
      shuffled.order.push_back(row.tensor);
      const Tensor& t = right.observed[0].at(row.tensor);
      shuffled.infos.emplace(row.tensor, TensorInfo{t.dtype(), t.shape(), {}, {}});
    }
  }
  std::swap(shuffled.samples[1], shuffled.samples[5]);
  ASSERT_TRUE(write_capture(scratch / "shuffled.npz", shuffled).ok());
  for (const bool first : {true, false}) {
    const ThreeWay t = first ? compare_two(scratch / "shuffled.npz", "ort")
                             : compare_two("ort", scratch / "shuffled.npz");
    EXPECT_TRUE(t.verdict.starts_with("nothing can be said")) << t.verdict;
    EXPECT_NE(t.why.find("another order"), t.why.npos) << t.why;
    EXPECT_FALSE(t.agree);
  }
}

// Final outputs of one, every tensor of the other: "mismatch, at tensors that only one of the two
// yields".
TEST(ThreeWay, outputs_of_one_are_enough_to_say_who_differs) {
  const test::TemporaryFolder scratch;
  for (const auto& [target, said] : {std::pair{std::string("ort"), "the accelerator differs: B"},
                                     std::pair{broken, "A and B agree with each other"}}) {
    Capture outputs;
    for (const Sample& s : ask(target).observed) outputs.samples.push_back({{"ppm", s.at("ppm")}});
    const Tensor& t = outputs.samples[0].at("ppm");
    outputs.order = {"ppm"};
    outputs.infos.emplace("ppm", TensorInfo{t.dtype(), t.shape(), {}, {}});
    ASSERT_TRUE(write_capture(scratch / "outputs.npz", outputs).ok());
    const ThreeWay three = compare_two(scratch / "outputs.npz", broken);
    EXPECT_TRUE(three.verdict.starts_with(said)) << three.verdict;
    EXPECT_NE(three.why.find("/block2/add"), three.why.npos) << three.why;
    EXPECT_NE(three.why.find("operand-rescale"), three.why.npos) << three.why;
  }
}

TEST(ThreeWay, says_why_with_the_cause_of_the_wrong_side_and_the_arithmetic_of_the_right_one) {
  const ThreeWay t = compare_two(broken, "float");
  EXPECT_NE(t.why.find("A: operand-rescale, operand 2 enters at 0.5 of its factor"), t.why.npos)
      << t.why;
  EXPECT_NE(t.why.find("B computes as float"), t.why.npos) << t.why;
}

TEST(ThreeWay, roles_follow_the_kind_of_target) {
  EXPECT_EQ(role_of("ort-noopt"), Role::library);
  EXPECT_EQ(role_of("net_OE_3_2_0.onnx"), Role::compiler);
  EXPECT_EQ(role_of("npu:network.c"), Role::compiler);
  EXPECT_EQ(role_of("captures.npz"), Role::device);
  EXPECT_EQ(role_of("sim:clamp-lost"), Role::device);
}

}  // namespace
}  // namespace lockstep
