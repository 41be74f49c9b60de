// Every command that a README under examples/ shows runs as shown.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include <nlohmann/json.hpp>

#include "support/command.h"
#include "support/folders.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> commands_in(const fs::path& readme) {
  std::istringstream lines(test::text_of(readme));
  std::vector<std::string> commands;
  bool code = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```"))
      code = !code;
    else if (code && line.starts_with("lockstep "))
      commands.push_back(line.substr(9));
  }
  return commands;
}

TEST(Examples, show_commands_that_run) {
  int seen = 0;
  for (const auto& example : fs::directory_iterator(test::source_folder() + "/examples")) {
    const auto commands = commands_in(example.path() / "README.md");
    const test::TemporaryFolder scratch;
    const std::string copy = scratch / example.path().filename();
    fs::copy(example.path(), copy, fs::copy_options::recursive);
    for (const std::string& command : commands) {
      const std::string shell = "cd '" + copy + "' && '" + test::binary_folder() +
                                "/bin/lockstep' " + command + " >out.txt 2>err.txt </dev/null";
      const int status = std::system(shell.c_str());
      const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      EXPECT_TRUE(code == 0 || code == 1) << command << "\nexit " << code << "\n"
                                          << test::text_of(copy + "/err.txt");
      EXPECT_NE(test::text_of(copy + "/out.txt"), "") << command;
      ++seen;
    }
  }
  EXPECT_GE(seen, 20);
}

// The verdict of each case, from the evidence that its owner had.
class Case : public testing::Test {
 protected:
  nlohmann::json report(const std::string& command, int code) {
    const auto ran = test::run_tool(command + " --json " + folder / "r.json");
    EXPECT_EQ(ran.code, code) << command << "\n" << ran.out << ran.err;
    return nlohmann::json::parse(test::text_of(folder / "r.json"));
  }
  nlohmann::json diagnosed(const std::string& model, const std::string& input,
                           const std::string& fault, const std::string& tensor) {
    const std::string in = " --input " + input;
    EXPECT_EQ(test::run_tool("inject " + model + in + " --fault " + fault + " --tensor " + tensor +
                             " -o " + folder / "b.npz")
                  .code,
              0);
    return report("diagnose " + model + in + " --target " + folder / "b.npz",
                  1)["suspects"][0]["explanations"][0];
  }
  test::Folder folder;
};

TEST_F(Case, s0_calm_windows_die_in_the_softmax) {
  const auto j = report(
      "sensitivity examples/s0/pump_int8.onnx --input examples/s0/calm_a.npz --input "
      "examples/s0/calm_b.npz",
      1);
  EXPECT_EQ(j["reaching"], 0);
  for (const auto& row : j["rows"])
    EXPECT_EQ(row["pairs_dying"] == 8, row["node"] == "/softmax") << row;
  EXPECT_EQ(j["softmax"][0]["codes"], (std::vector<int>{127, -128, -128, -128, -128}));
  EXPECT_TRUE(j["softmax"][0]["up"].is_null());
  EXPECT_GT(j["softmax"][0]["down"], 0);
}

// The cause and what it ties with: from outputs alone several faults may be one and the same.
std::string all_of(const nlohmann::json& explanation) {
  std::string all = explanation["spec"];
  for (const auto& tie : explanation["ties"]) all += " " + tie.get<std::string>();
  return all;
}

TEST_F(Case, s0_an_event_names_the_memory) {
  const std::string model = "examples/s0/pump_int8.onnx", event = "examples/s0/event.npz";
  const std::string recorded = "state --tensor fc_out_QuantizeLinear_Output";
  EXPECT_EQ(diagnosed(model, event, "frozen-output@/softmax", recorded)["fault"], "frozen-output");
  EXPECT_EQ(diagnosed(model, event, "stale-input", recorded)["fault"], "stale-input");
  EXPECT_NE(
      all_of(diagnosed(model, event, "memory-asleep@/softmax", recorded)).find("memory-asleep@"),
      std::string::npos);
}

TEST_F(Case, s2_truncation_is_a_defect_and_another_runtime_is_not) {
  const std::string base =
      "validate examples/s2/liveness_int8.onnx --input examples/s2/faces.npz --decision '1-0>0.9' "
      "--target ";
  EXPECT_TRUE(report(base + "ort-noopt", 0)[0]["healthy"]);
  const auto j = report(base + "sim:requant-truncates", 1);
  EXPECT_EQ(j[0]["suspects"][0]["explanations"][0]["fault"], "requant-truncates");
  EXPECT_EQ(j[1]["schema"], "lockstep.decision");
  EXPECT_TRUE(j[1]["outside"]);
  EXPECT_LT(j[1]["device"]["mean_shift"], 0);
}

TEST_F(Case, s3_nine_numbers_name_the_reading_of_the_input) {
  for (const char* fault : {"input-axes-swapped", "input-quantized-twice"}) {
    const auto e =
        diagnosed("examples/s3/words_int8.onnx", "examples/s3/dump.npz", fault, "logits");
    EXPECT_EQ(e["fault"], fault);
    EXPECT_EQ(e["reproduced"], 9);
    for (const auto& tie : e["ties"])  // the same bytes read so by the first operation
      EXPECT_TRUE(tie.get<std::string>().starts_with("operand-layout@")) << e;
  }
}

TEST_F(Case, s4_the_gate_tells_a_good_calibration_from_a_silent_one) {
  const std::string end =
      " --target examples/s4/calls_float.onnx --input examples/s4/calls.npz --tolerance "
      "cosine:0.95";
  const auto good = report("validate examples/s4/calls_int8.onnx" + end, 0),
             silent = report("validate examples/s4/calls_silent.onnx" + end, 1);
  EXPECT_TRUE(good["healthy"]);
  EXPECT_NE(good["verdict"].get<std::string>().find("the gate is met: cosine 0.999"),
            std::string::npos)
      << good["verdict"];
  EXPECT_NE(silent["verdict"].get<std::string>().find("the gate is missed: cosine 0.36"),
            std::string::npos)
      << silent["verdict"];
  EXPECT_NE(silent["advice"].dump().find("near-silent"), std::string::npos) << silent["advice"];
  // The float model's tensors stand beside the codes that stand for them, its Relus folded in.
  for (const auto& row : good["rows"]) {
    EXPECT_GT(row["end_to_end"]["cosine"], 0.99) << row["tensor"];
    EXPECT_EQ(row["state"], "unknown");
  }
}

TEST_F(Case, s4_generated_c_computes_the_very_same_scores) {
  ASSERT_EQ(test::run_tool("generate examples/s4/calls_int8.onnx -o " + folder / "network").code,
            0);
  const auto j = report(
      "validate examples/s4/calls_int8.onnx --input examples/s4/calls.npz --tolerance exact "
      "--target c:" +
          folder / "network",
      0);
  EXPECT_EQ(j["verdict"], "healthy, equal to the reference on every value compared");
}

TEST_F(Case, s4_the_report_does_not_vary_from_run_to_run) {
  const std::string command =
      " validate examples/s4/calls_int8.onnx --input examples/s4/calls.npz --target "
      "sim:pads-with-zero-code@/conv1";
  EXPECT_EQ(test::run_tool("--threads 1" + command).out,
            test::run_tool("--threads 2" + command).out);
}

}  // namespace
}  // namespace lockstep
