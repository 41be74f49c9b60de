#include <nlohmann/json.hpp>

#include "base/npy.h"
#include "report/pages.h"
#include "support/command.h"

namespace lockstep {
namespace {

const std::string model = "examples/s1/tcn_int8.onnx";
const std::string golden = " --input examples/s1/golden.npz ";
const std::string fault = "operand-rescale@/block2/add,operand=2,k=0.5";

std::string names_in(const std::string& path) {
  const auto members = read_npz(path);
  EXPECT_TRUE(members.ok());
  std::string names;
  if (members.ok())
    for (const auto& [name, array] : *members) names += name + " ";
  return names;
}

TEST(Run, writes_outputs_a_named_tensor_or_all) {
  const test::Folder folder;
  EXPECT_EQ(test::run_tool("run " + model + golden + "-o " + folder / "o.npz").code, 0);
  EXPECT_NE(names_in(folder / "o.npz").find("ppm"), std::string::npos);
  EXPECT_EQ(test::run_tool("run " + model + golden +
                           "--arith ort-noopt --tensor window_QuantizeLinear_Output -o " +
                           folder / "o.npz")
                .code,
            0);
  EXPECT_NE(names_in(folder / "o.npz").find("window_QuantizeLinear_Output"), std::string::npos);
  EXPECT_EQ(test::run_tool("run " + model + golden + "--all -o " + folder / "o.npz").code, 0);
  EXPECT_NE(names_in(folder / "o.npz").find("window"), std::string::npos);
}

TEST(Run, the_same_seed_gives_the_same_bytes_and_says_that_inputs_are_random) {
  const test::Folder folder;
  const test::Ran ran = test::run_tool("run " + model + " --all -o " + folder / "a.npz");
  EXPECT_NE(ran.out.find("seeded random"), std::string::npos) << ran.out;
  test::run_tool("run " + model + " --all -o " + folder / "b.npz");
  test::run_tool("run " + model + " --all --seed 43 -o " + folder / "c.npz");
  const auto a = read_npz(folder / "a.npz"), b = read_npz(folder / "b.npz"),
             c = read_npz(folder / "c.npz");
  ASSERT_TRUE(a.ok() && b.ok() && c.ok());
  ASSERT_EQ(a->size(), b->size());
  bool other = false;
  for (std::size_t i = 0; i < a->size(); ++i) {
    EXPECT_EQ((*a)[i].second.bytes, (*b)[i].second.bytes) << (*a)[i].first;
    other = other || (*a)[i].second.bytes != (*c)[i].second.bytes;
  }
  EXPECT_TRUE(other);
}

TEST(Run, writes_an_archive_under_no_other_name) {
  // "-o o.txtt" was an archive under a name that no reader takes for one.
  const test::Folder folder;
  test::expect_refused(test::run_tool("run " + model + golden + "-o " + folder / "o.txtt"),
                       "ends in .npz");
  test::expect_refused(
      test::run_tool("inject " + model + golden + "--fault stale-input -o " + folder / "o"),
      "ends in .npz");
  EXPECT_EQ(folder.files(), 0u);
}

TEST(Options, that_would_do_nothing_are_refused) {
  const test::Folder folder;
  ASSERT_EQ(test::run_tool("run " + model + golden + "-o " + folder / "o.npz").code, 0);
  const std::string recorded = "validate " + model + golden + "--target " + folder / "o.npz";
  test::expect_refused(test::run_tool(recorded + " --samples 3"), "--samples");
  test::expect_refused(test::run_tool(recorded + " --seed 3"), "--seed");
  test::expect_refused(test::run_tool(recorded + " --resume " + folder / "nothing.npz"), "serial:");
  test::expect_refused(test::run_tool(recorded + " --repeat 3"), "serial:");
  test::expect_refused(
      test::run_tool("run " + model + golden + "--samples 3 -o " + folder / "p.npz"), "--samples");
}

TEST(Inspect, counts_what_was_trained_and_no_scales_or_zero_points) {
  // 20 474 with its scales and zero points; the network has 19 457 weights and biases.
  const test::Ran ran = test::run_tool("inspect " + model);
  EXPECT_NE(ran.out.find("parameters 19457 "), std::string::npos) << ran.out;
}

TEST(Help, of_a_command_that_is_none_says_so) {
  // `lockstep quantize --help` printed the help of all and ended with 0.
  test::expect_refused(test::run_tool("quantize --help"), "no such command");
  test::expect_refused(test::run_tool("run --inputs x --help"), "no option");
  EXPECT_NE(test::run_tool("--help").out.find("Exit codes: 0 healthy"), std::string::npos);
  EXPECT_EQ(test::run_tool("run --help").code, 0);
  EXPECT_EQ(test::run_tool("npu fit --help").code, 0);
}

TEST(Validate, a_right_device_exits_with_0_and_a_faulty_one_with_1) {
  const test::Ran right = test::run_tool("validate " + model + golden + "--target ort");
  EXPECT_EQ(right.code, 0) << right.out << right.err;
  EXPECT_NE(right.out.find("healthy"), std::string::npos) << right.out;
  const test::Ran wrong = test::run_tool("validate " + model + golden + "--target sim:" + fault);
  EXPECT_EQ(wrong.code, 1) << wrong.err;
  EXPECT_EQ(wrong.out.find('\x1b'), std::string::npos) << "colour in a pipe";
  EXPECT_EQ(wrong.err, "");
}

TEST(Validate, another_named_arithmetic_is_healthy) {
  const test::Ran ran = test::run_tool("validate " + model + golden + "--target ort-noopt");
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("healthy"), std::string::npos);
}

TEST(Validate, of_several_targets_the_worst_decides) {
  const test::Ran ran =
      test::run_tool("validate " + model + golden + "--target sim:" + fault + " --target ort");
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_NE(ran.out.find("healthy"), std::string::npos);
  EXPECT_NE(ran.out.find("first wrong"), std::string::npos);
}

TEST(Validate, the_demo_prints_its_golden_report) {
  test::expect_golden(test::run_tool("validate " + model + golden + "--target sim:" + fault).out,
                      "validate_s1.txt");
}

TEST(Diagnose, the_demo_prints_its_golden_ranking) {
  test::expect_golden(test::run_tool("diagnose " + model + golden + "--target sim:" + fault).out,
                      "diagnose_s1.txt");
}

TEST(Inject, captures_lead_to_the_same_cause_as_the_device) {
  const test::Folder folder;
  EXPECT_EQ(
      test::run_tool("inject " + model + golden + "--fault " + fault + " -o " + folder / "c.npz")
          .code,
      0);
  const test::Ran ran = test::run_tool("diagnose " + model + " --target " + folder / "c.npz" +
                                       " --json " + folder / "r.json");
  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
  const auto report = nlohmann::json::parse(test::text_of(folder / "r.json"));
  EXPECT_EQ(report["schema"], "lockstep.report");
  EXPECT_EQ(report["version"], 1);
  EXPECT_FALSE(report["healthy"]);
  EXPECT_EQ(report["first_wrong"], "/block2/add");
  const auto& cause = report["suspects"][0]["explanations"][0];
  EXPECT_EQ(cause["fault"], "operand-rescale");
  EXPECT_EQ(cause["params"]["k"], 0.5);
  EXPECT_EQ(cause["reproduced"], cause["differing"]);
  EXPECT_EQ(cause["spoiled"], 0);
  EXPECT_EQ(report["suspects"].size(), 1u);
}

TEST(Docs, are_written_where_asked) {
  const test::Folder folder;
  EXPECT_EQ(test::run_tool("docs --write " + folder / ".").code, 0);
  for (const auto& [name, text] : generated_pages())
    EXPECT_EQ(test::text_of(folder / name), text) << name;
  test::expect_refused(test::run_tool("docs --write " + folder / "absent"), "absent");
}

TEST(Help, is_no_error) {
  EXPECT_EQ(test::run_tool("--help").code, 0);
  EXPECT_EQ(test::run_tool("validate --help").code, 0);
  EXPECT_EQ(test::run_tool("").code, 2);
}

}  // namespace
}  // namespace lockstep
