// Captures as owners of boards have them lead to the same wrong operation.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "run/recording.h"
#include "support/command.h"
#include "support/shared.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

const std::string model = "examples/s1/tcn_int8.onnx";
const std::string fault = "operand-rescale@/block2/add,operand=2,k=0.5";

class Captured : public testing::Test {
 protected:
  void SetUp() override {
    const std::string all = scratch / "all.npz";
    const auto ran = test::run_tool("inject " + model + " --fault " + fault +
                                    " --input examples/s1/golden.npz -o " + all);
    ASSERT_EQ(ran.code, 0) << ran.err;
    auto read = read_npz(all);
    ASSERT_TRUE(read.ok()) << read.error().line();
    members = std::move(*read);
  }

  const NpyArray& array(const std::string& name) const {
    for (const auto& [own, value] : members)
      if (own == name) return value;
    ADD_FAILURE() << "no " << name;
    return members[0].second;
  }

  // Writes the members and validates against them.
  test::Ran validate(const NpzMembers& chosen, const std::string& more = "") {
    const std::string path = scratch / "chosen.npz";
    EXPECT_TRUE(write_npz(path, chosen).ok());
    return test::run_tool("validate " + model + " --target " + path + more);
  }

  test::TemporaryFolder scratch;
  NpzMembers members;
};

TEST_F(Captured, codes_alone_are_enough) {
  NpzMembers codes;
  for (const auto& [name, value] : members)
    if (value.dtype == DType::i8) codes.emplace_back(name, value);
  const auto ran = validate(codes);
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_NE(ran.out.find("first wrong   /block2/add "), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("operand 2 enters at 0.5 of its factor"), std::string::npos) << ran.out;
}

TEST_F(Captured, st_outputs_alone_name_the_operation_by_its_cause) {
  NpyArray padded = array("ppm");
  padded.shape = {16, 1, 1, 1};
  const auto ran = validate({{"m_inputs_1", array("window")}, {"c_outputs_1", padded}});
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_NE(ran.out.find("first wrong   /block2/add, by its cause"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("one of 23 operations up to /head/fc2"), std::string::npos) << ran.out;
  const std::string json = scratch / "r.json";
  const auto again =
      validate({{"m_inputs_1", array("window")}, {"c_outputs_1", padded}}, " --json " + json);
  EXPECT_EQ(again.code, 1) << again.err;
  const auto report = nlohmann::json::parse(test::text_of(json));
  EXPECT_EQ(report.at("first_wrong"), "/block2/add");
  EXPECT_EQ(report.at("first_wrong_among"), 23);
  EXPECT_EQ(report.at("first_wrong_by_cause"), true);
  EXPECT_NEAR(report.at("rows").back().at("st").at("mean").get<double>(), 5.18, 0.01);
}

TEST_F(Captured, outputs_without_inputs_ask_for_them) {
  const auto ran = validate({{"c_outputs_1", array("ppm")}});
  test::expect_refused(ran, "--input");
  EXPECT_EQ(validate({{"c_outputs_1", array("ppm")}}, " --input examples/s1/golden.npz").code, 1);
}

TEST_F(Captured, fewer_samples_than_inputs_are_refused) {
  NpyArray half = array("ppm");
  half.shape = {8, 1};
  half.bytes.resize(half.bytes.size() / 2);
  test::expect_refused(validate({{"ppm", half}}, " --input examples/s1/golden.npz"), "8 samples");
}

TEST_F(Captured, of_another_model_are_refused) {
  test::expect_refused(validate({{"conv1", NpyArray{DType::f32, {1, 5}, Bytes(20)}}}),
                       "another model");
  NpyArray other = array("ppm");
  other.shape = {16, 1, 1};
  test::expect_refused(validate({{"window", other}}), "window");
}

// Two logits a sample that drift by 2 LSB meet other samples' logits by chance: "recorded twice"
// was said of a right recording. The cause's scope holds operations without weights: splitting
// their channels once ended the program.
TEST(SmallOutputs, that_drift_are_not_the_answers_to_other_inputs) {
  const test::Folder folder;
  const std::string with = "examples/s2/liveness_int8.onnx --input examples/s2/faces.npz ";
  ASSERT_EQ(test::run_tool("inject " + with +
                           "--fault requant-truncates@/b2/pointwise --tensor logits -o " +
                           folder / "out.npz")
                .code,
            0);
  const auto ran = test::run_tool("validate " + with + "--target " + folder / "out.npz");
  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
  EXPECT_EQ(ran.out.find("do not belong to this run"), ran.out.npos) << ran.out;
  EXPECT_NE(ran.out.find("cause         requant-truncates"), ran.out.npos) << ran.out;
}

TEST(Recording, of_a_device_that_keeps_states_is_healthy_without_being_told_so) {
  LOCKSTEP_NEEDS_SHARED();
  const test::TemporaryFolder scratch;
  const std::string lstm = test::shared_folder() + "/models/timeseries/robotarm_lstm_v1.tflite";
  for (const std::string state : {"keep", "reset"}) {
    const std::string device = scratch / (state + ".npz");
    ASSERT_EQ(
        test::run_tool("run " + lstm + " --samples 5 --all --state " + state + " -o " + device)
            .code,
        0);
    const auto plain = test::run_tool("validate " + lstm + " --target " + device);
    EXPECT_EQ(plain.code, 0) << plain.out << plain.err;
    EXPECT_EQ(plain.out.find("as with --state keep") != std::string::npos, state == "keep")
        << plain.out;
    EXPECT_EQ(plain.out.find("is asked by --state keep") != std::string::npos, state == "reset")
        << plain.out;
    const std::string other = state == "keep" ? "reset" : "keep";
    EXPECT_EQ(test::run_tool("validate " + lstm + " --target " + device + " --state " + other).code,
              1);
  }
}

}  // namespace
}  // namespace lockstep
