// sensitivity, expose, reduce, two targets and --decision as a user runs them.
#include <gtest/gtest.h>

#include <fstream>

#include <nlohmann/json.hpp>

#include "support/command.h"

namespace lockstep {
namespace {

const std::string s1 = "examples/s1/tcn_int8.onnx", golden = " --input examples/s1/golden.npz ";
const std::string broken = "sim:operand-rescale@/block2/add,operand=2,k=0.5";
const std::string s0 = "examples/s0/pump_int8.onnx";

nlohmann::json json_of(const std::string& path) {
  return nlohmann::json::parse(test::text_of(path));
}

TEST(SensitivityCommand, says_that_the_output_stays_the_same_and_where_the_difference_dies) {
  const test::Folder folder;
  const auto ran = test::run_tool(
      "sensitivity " + s0 +
      " --input examples/s0/calm_a.npz --input examples/s0/calm_b.npz --json " + folder / "s.json");
  EXPECT_EQ(ran.code, 1) << ran.err;
  const auto j = json_of(folder / "s.json");
  EXPECT_EQ(j["schema"], "lockstep.sensitivity");
  EXPECT_EQ(j["pairs"], 8);
  EXPECT_EQ(j["reaching"], 0);
  EXPECT_EQ(j["rows"].back()["changed"], 0);
  EXPECT_GT(j["rows"][0]["changed"], 0);
  EXPECT_NE(ran.out.find("DIES HERE"), std::string::npos) << ran.out;
}

TEST(SensitivityCommand, one_file_is_each_sample_with_the_next) {
  const auto ran = test::run_tool("sensitivity " + s1 + golden + "--runs 20");
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("15 pairs"), std::string::npos) << ran.out;
}

TEST(SensitivityCommand, refuses_what_it_cannot_pair) {
  test::expect_refused(
      test::run_tool("sensitivity " + s0 +
                     " --input examples/s0/calm_a.npz --input examples/s1/golden.npz"),
      "golden.npz");
  test::expect_refused(test::run_tool("sensitivity " + s0 + " --input examples/s0/nothing.npz"),
                       "nothing.npz");
  EXPECT_EQ(test::run_tool("sensitivity " + s0).code, 2);
}

TEST(TwoTargets, are_three_way_with_the_worst_exit_code) {
  const test::Folder folder;
  const auto ran = test::run_tool("validate " + s1 + golden + "--target ort-noopt --target " +
                                  broken + " --json " + folder / "r.json");
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_NE(ran.out.find("the accelerator differs: B"), std::string::npos) << ran.out;
  const auto j = json_of(folder / "r.json");
  ASSERT_EQ(j.size(), 3u);
  EXPECT_EQ(j[2]["schema"], "lockstep.three_way");
  EXPECT_EQ(j[2]["first"], "/block2/add");
  EXPECT_EQ(
      test::run_tool("validate " + s1 + golden + "--target ort-noopt --target nothing.npz").code,
      2);
}

TEST(DecisionOption, counts_flips_against_the_legitimate_ones) {
  const auto ran =
      test::run_tool("validate " + s1 + golden + "--target " + broken + " --decision '0>5'");
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.out.find("decision      0>5 at ppm"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("above becomes not above"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("legitimate, "), std::string::npos) << ran.out;
  test::expect_refused(
      test::run_tool("validate " + s1 + golden + "--target " + broken + " --decision best"),
      "--decision best");
}

TEST(Expose, writes_as_few_variants_as_the_limit_allows) {
  const test::Folder folder;
  const auto ran = test::run_tool(
      "expose " + s1 +
      " --tensor /block0/add --tensor /block1/add --tensor /block2/conv --max-outputs 3 -o " +
      folder / "v");
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto j = json_of(folder / "v/exposed.json");
  ASSERT_EQ(j["variants"].size(), 2u);
  EXPECT_EQ(j["variants"][0]["tensors"].size(), 2u);
  EXPECT_EQ(test::run_tool("inspect " + (folder / "v/tcn_int8_exposed2.onnx")).code, 0);
}

TEST(Expose, refuses_and_writes_nothing) {
  const test::Folder folder;
  test::expect_refused(test::run_tool("expose " + s1 + " --tensor /block0/ad -o " + folder / "v"),
                       "did you mean");
  test::expect_refused(test::run_tool("expose " + s1 + " --tensor ppm -o " + folder / "v"),
                       "output of the model already");
  test::expect_refused(
      test::run_tool("expose " + s1 + " --tensor /block0/add --max-outputs 1 -o " + folder / "v"),
      "--max-outputs");
  EXPECT_EQ(folder.files(), 0u);
}

TEST(Expose, captures_of_variants_merge_and_disagreement_is_said) {
  const test::Folder folder;
  EXPECT_EQ(test::run_tool("run " + s1 + golden + "--tensor ppm --tensor /block1/relu_out -o " +
                           folder / "a.npz")
                .code,
            0);
  EXPECT_EQ(test::run_tool("inject " + s1 + golden +
                           "--fault clamp-lost --tensor ppm --tensor /block2/relu_out -o " +
                           folder / "b.npz")
                .code,
            0);
  const auto ran = test::run_tool("validate " + s1 + golden + "--target " + folder / "a.npz" + "+" +
                                  folder / "b.npz");
  EXPECT_NE(ran.out.find("'ppm' differs between"), std::string::npos) << ran.out << ran.err;
}

// A capture of one tensor in codes, as a board's tool writes it, with the build that it is of.
void write_dump(const test::Folder& folder, const std::string& name, const std::string& tensor,
                int code, const std::string& hash) {
  std::ofstream(folder / (name + ".raw"), std::ios::binary).put(static_cast<char>(code));
  std::ofstream(folder / (name + ".json"))
      << R"({"samples": 1, "build": {"hash": ")" << hash << R"("}, "tensors": [{"name": ")"
      << tensor << R"(", "dtype": "int8", "shape": [1, 1]}]})";
}

TEST(Builds, what_another_build_shows_is_left_out_where_the_two_disagree) {
  const test::Folder folder;
  EXPECT_EQ(test::run_tool("inject " + s1 + golden +
                           "--fault operand-lost@/block2/add,operand=2 --tensor ppm --tensor "
                           "/block2/relu_out_QuantizeLinear_Output -o " +
                           folder / "shipped.npz")
                .code,
            0);
  EXPECT_EQ(test::run_tool("expose " + s1 +
                           " --tensor /block2/slice_out_QuantizeLinear_Output -o " + folder / "x")
                .code,
            0);
  EXPECT_EQ(test::run_tool("run " + folder / "x/tcn_int8_exposed1.onnx" + golden + "-o " +
                           folder / "exposed.npz")
                .code,
            0);
  const auto ran = test::run_tool("diagnose " + s1 + golden + "--target " + folder / "shipped.npz" +
                                  "+" + folder / "exposed.npz");
  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("recorded from another model file"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("left out, as of another build: /block2/slice_out_QuantizeLinear_Output"),
            std::string::npos)
      << ran.out;
  EXPECT_NE(ran.out.find("compared 2 of 68"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("operand-lost@/block2/add"), std::string::npos) << ran.out;
}

TEST(Builds, of_one_hash_count_as_one) {
  const test::Folder folder;
  EXPECT_EQ(
      test::run_tool("run " + s1 + " --samples 1 --tensor window -o " + folder / "i.npz").code, 0);
  write_dump(folder, "a", "ppm_QuantizeLinear_Output", 3, "1f");
  write_dump(folder, "b", "ppm_QuantizeLinear_Output", 4, "1f");
  write_dump(folder, "c", "ppm_QuantizeLinear_Output", 4, "2e");
  const auto same = test::run_tool("diagnose " + s1 + " --input " + folder / "i.npz" +
                                   " --target " + folder / "a.json" + "+" + folder / "b.json");
  const auto other = test::run_tool("diagnose " + s1 + " --input " + folder / "i.npz" +
                                    " --target " + folder / "a.json" + "+" + folder / "c.json");
  EXPECT_NE(same.out.find("one build that does not answer alike"), std::string::npos)
      << same.out << same.err;
  EXPECT_NE(other.out.find("(hash 2e)"), std::string::npos) << other.out << other.err;
  EXPECT_NE(other.out.find("do not compute alike"), std::string::npos) << other.out;
}

TEST(Dimensions, are_refused_when_they_are_no_numbers_or_the_model_leaves_none_open) {
  test::expect_refused(test::run_tool("inspect " + s1 + " --dim batch=4"),
                       "--dim batch: " + std::string("examples/s1/tcn_int8.onnx leaves no such"));
  for (const char* bad : {"batch", "batch=", "batch=0", "batch=x", "=4", "batch=4x"})
    test::expect_refused(test::run_tool("inspect " + s1 + " --dim " + bad), "NAME=N");
}

TEST(Arguments, an_unknown_arithmetic_with_a_newline_in_its_name_is_refused_in_one_line) {
  test::expect_refused(
      test::run_tool("validate " + s1 + golden + "--target ort --reference 'a\nb'"),
      "--reference a\\nb: no such arithmetic");
}

TEST(Arguments, a_flag_of_a_fault_that_is_neither_0_nor_1_is_refused) {
  const test::Folder folder;
  test::expect_refused(test::run_tool("inject " + s1 + golden + "--fault stale-input,frozen=9 -o " +
                                      (folder / "x.npz")),
                       "'9'; want 0 or 1");
  EXPECT_EQ(folder.files(), 0u);
}

TEST(Claims, name_the_tensor_that_was_read_instead) {
  const auto ran = test::run_tool("validate " + s1 + golden +
                                  "--target sim:operand-replaced@/block2/add,operand=2");
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out.find("buffer of tensor 1"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("is read from the buffer of tensor /"), std::string::npos) << ran.out;
}

TEST(Reduce, leaves_one_operation_that_replays_to_the_same_cause) {
  const test::Folder folder;
  const auto ran =
      test::run_tool("reduce " + s1 + golden + "--target " + broken + " -o " + folder / "r");
  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
  const auto again = test::run_tool("diagnose " + folder / "r/model.onnx" + " --target " +
                                    folder / "r/device.npz" + " --input " + folder / "r/input.npz" +
                                    " --json " + folder / "j.json");
  EXPECT_EQ(again.code, 1) << again.out << again.err;
  const auto j = json_of(folder / "j.json");
  EXPECT_EQ(j["first_wrong"], "/block2/add");
  EXPECT_EQ(j["suspects"][0]["explanations"][0]["fault"], "operand-rescale");
  EXPECT_LT(std::filesystem::file_size(folder / "r/model.onnx"), 2000u);
  EXPECT_NE(test::text_of(folder / "r/README.md").find("lockstep diagnose model.onnx"),
            std::string::npos);
}

TEST(Reduce, cuts_a_tflite_model_to_one_that_replays_to_the_same_cause) {
  const test::Folder folder;
  const auto ran = test::run_tool(
      "reduce tests/oracle/networks/mobile-int8.tflite --target "
      "sim:requant-truncates@DEPTHWISE_CONV_2D_3 -o " +
      folder / "r");
  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
  const auto again = test::run_tool("diagnose " + folder / "r/model.tflite" + " --target " +
                                    folder / "r/device.npz" + " --input " + folder / "r/input.npz" +
                                    " --json " + folder / "j.json");
  EXPECT_EQ(again.code, 1) << again.out << again.err;
  EXPECT_EQ(json_of(folder / "j.json")["suspects"][0]["explanations"][0]["fault"],
            "requant-truncates");
  EXPECT_LT(std::filesystem::file_size(folder / "r/model.tflite"), 4000u);
  EXPECT_NE(test::text_of(folder / "r/README.md").find("lockstep diagnose model.tflite"),
            std::string::npos);
}

TEST(Reduce, keeps_what_a_convolution_needs) {
  const test::Folder folder;
  const auto ran = test::run_tool(
      "reduce examples/s2/liveness_int8.onnx --input examples/s2/faces.npz "
      "--target sim:requant-truncates@/b2/pointwise -o " +
      folder / "r");
  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("/b2/pointwise"), std::string::npos) << ran.out;
}

TEST(Reduce, keeps_the_whole_model_where_only_outputs_were_recorded) {
  const test::Folder folder;
  const std::string model = "examples/s3/words_int8.onnx --input examples/s3/dumps.npz ";
  EXPECT_EQ(
      test::run_tool("inject " + model + "--fault operand-lost@/ds1/pointwise --tensor logits -o " +
                     folder / "o.npz")
          .code,
      0);
  const auto ran =
      test::run_tool("reduce " + model + "--target " + folder / "o.npz" + " -o " + folder / "r");
  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("cut to 38 of 38 nodes"), std::string::npos) << ran.out;
  // What the one does not read is what the other, asleep, leaves: the same numbers.
  EXPECT_TRUE(ran.out.find("/ds1/depthwise") != std::string::npos ||
              ran.out.find("/ds1/pointwise") != std::string::npos)
      << ran.out;
}

TEST(Reduce, has_nothing_to_say_of_a_healthy_device) {
  const test::Folder folder;
  test::expect_refused(test::run_tool("reduce " + s1 + golden + "--target ort -o " + folder / "r"),
                       "healthy");
  EXPECT_EQ(folder.files(), 0u);
}

}  // namespace
}  // namespace lockstep
