// Generated C on the emulated Cortex-M55 computes every tensor to the bit, with Helium and without.
#include <gtest/gtest.h>

#include <cstdlib>

#include "support/generated_network.h"
#include "support/programs.h"
#include "support/shared.h"
#include "support/temporary.h"
#include "target/target_generated.h"

namespace lockstep {
namespace {

struct Case {
  const char* path;
  const char* name;
};
constexpr Case cases[] = {
    {"mlperf/kws_ref_model_int8", "kws"},
    {"mlperf/resnet8_int8", "resnet8"},
    {"mlperf/vww_96_int8", "vww_96"},
    {"mlperf/ad01_int8", "ad01"},
    {"mlperf/resnet_large_int8", "resnet_large"},
    {"mlperf/str_ww_ref_model_int8", "str_ww"},
    {"st/mobilenet_v1_0.25_96_tfs_int8", "mobilenet_with_uint8_input_and_float_output"},
    {"st_zoo/miniresnet_1stacks_64x50_int8", "miniresnet"},
    {"tflm/person_detect", "person_detect"},
    {"timeseries/tinyhar_depthwise_cnn_int8", "tinyhar_depthwise"},
    {"coral/split_concat", "split_concat"},
};

class OnTheBoard : public testing::TestWithParam<Case> {};

TEST_P(OnTheBoard, every_tensor_equals_the_reference_with_helium_and_without) {
  LOCKSTEP_NEEDS_SHARED();
  LOCKSTEP_NEEDS_THE_BOARD();
  const test::TemporaryFolder folder;
  const auto made =
      test::generate_into(test::shared_folder() + "/models/" + GetParam().path + ".tflite",
                          "tflite-ref", folder / "net");
  ASSERT_TRUE(made.ok()) << made.error().line();
  for (const std::string& uri : std::vector<std::string>{
           "qemu:" + (folder / "net"), "qemu:" + (folder / "net") + ",helium=off"}) {
    const test::Compared compared = test::run_and_compare(*made, uri, 2);
    EXPECT_EQ(compared.different, 0) << uri << ", first: " << compared.first;
  }
}

INSTANTIATE_TEST_SUITE_P(Shared, OnTheBoard, testing::ValuesIn(cases),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(Board, instruction_counts_are_the_same_in_two_runs) {
  LOCKSTEP_NEEDS_SHARED();
  LOCKSTEP_NEEDS_THE_BOARD();
  const test::TemporaryFolder folder;
  const auto made =
      test::generate_into(test::shared_folder() + "/models/mlperf/kws_ref_model_int8.tflite",
                          "tflite-ref", folder / "net");
  ASSERT_TRUE(made.ok()) << made.error().line();
  const Sample input = generated_inputs(made->executor.graph(), 1, 3)[0];
  const auto first = count_instructions(folder / "net", input),
             second = count_instructions(folder / "net", input);
  ASSERT_TRUE(first.ok()) << first.error().line();
  ASSERT_TRUE(second.ok()) << second.error().line();
  EXPECT_EQ(first->instructions, second->instructions);
  EXPECT_GT(first->vector, 0);
  EXPECT_GT(first->stack, 0);
  std::int64_t sum = 0;
  for (const NodeCount& n : first->nodes) sum += n.instructions;
  EXPECT_LE(sum, first->instructions);
  EXPECT_GT(sum, first->instructions * 9 / 10);
}

}  // namespace
}  // namespace lockstep
