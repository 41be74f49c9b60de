#include <gtest/gtest.h>

#include <ranges>

#include <nlohmann/json.hpp>

#include "base/npy.h"
#include "npu/network_c.h"
#include "support/command.h"
#include "support/shared.h"

namespace lockstep {
namespace {

std::string program(const std::string& name) {
  return test::shared_folder() + "/models/neural-art/" + name + ".program.json";
}
std::string inputs(const std::string& name) {
  return test::shared_folder() + "/models/neural-art/" + name + ".inputs.npz";
}
std::string tcn() {
  return test::shared_folder() + "/models/st/stft_tcnn_medium_257x40_qdq_int8.onnx";
}

TEST(NpuCommands, analyze_prints_mapping_memories_latency_and_edits) {
  const test::Ran ran = test::run_tool("analyze examples/s1/tcn_int8.onnx");
  EXPECT_EQ(ran.code, 0) << ran.err;
  for (const char* part :
       {"Exec/report summary", "macc", "Mapping", "Memory usage", "Estimated latency", "Edits"})
    EXPECT_NE(ran.out.find(part), std::string::npos) << part;
}

TEST(NpuCommands, analyze_writes_json_and_refuses_other_devices) {
  const test::Folder folder;
  EXPECT_EQ(test::run_tool("analyze examples/s1/tcn_int8.onnx --json " + (folder / "a.json")).code,
            0);
  EXPECT_NE(test::text_of(folder / "a.json").find("lockstep-analyze"), std::string::npos);
  test::expect_refused(test::run_tool("analyze examples/s1/tcn_int8.onnx --device z80"), "stm32n6");
}

TEST(NpuCommands, explain_and_fit_read_what_run_recorded) {
  LOCKSTEP_NEEDS_SHARED();
  const test::Folder folder;
  const std::string both = program("yamnet_1024") + " --model " + test::shared_folder() +
                           "/models/st/yamnet_1024_64x96_qdq_int8.onnx --input " +
                           inputs("yamnet_1024");
  EXPECT_EQ(test::run_tool("npu run " + both + " --mode chained -o " + (folder / "d.npz")).code, 0);
  const test::Ran explained =
      test::run_tool("npu explain " + both + " --target " + (folder / "d.npz"));
  EXPECT_EQ(explained.code, 0) << explained.err;
  EXPECT_NE(explained.out.find("0 are unexplained"), std::string::npos) << explained.out;
  const test::Ran fitted = test::run_tool("npu fit " + both + " --captures " + (folder / "d.npz"));
  EXPECT_EQ(fitted.code, 0) << fitted.err;
  EXPECT_NE(fitted.out.find("proven (default)"), std::string::npos) << fitted.out;
}

TEST(NpuCommands, a_device_that_computes_as_predicted_is_healthy) {
  LOCKSTEP_NEEDS_SHARED();
  const test::Folder folder;
  const std::string both =
      program("stft_tcnn") + " --model " + tcn() + " --input " + inputs("stft_tcnn");
  EXPECT_EQ(test::run_tool("npu run " + both + " --mode chained -o " + (folder / "d.npz")).code, 0);
  const test::Ran ran = test::run_tool("validate " + tcn() + " --reference neural-art --input " +
                                       inputs("stft_tcnn") + " --target " + (folder / "d.npz") +
                                       " --program " + program("stft_tcnn"));
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("inferred"), std::string::npos);
  EXPECT_NE(ran.out.find("0 are unexplained"), std::string::npos);
}

// The prediction's own tensors with one of them turned over: the float Sigmoid is only assumed, the
// Add before it is not.
TEST(NpuCommands, no_verdict_rests_on_a_tensor_that_is_only_assumed) {
  LOCKSTEP_NEEDS_SHARED();
  const test::Folder folder;
  ASSERT_EQ(test::run_tool("run " + tcn() + " --input " + inputs("stft_tcnn") +
                           " --arith neural-art --all -o " + (folder / "all.npz"))
                .code,
            0);
  const auto answer = [&](std::string_view part, DType type) {
    auto members = read_npz(folder / "all.npz");
    EXPECT_TRUE(members.ok());
    bool changed = false;
    for (auto& [name, array] : std::views::reverse(*members))
      if (!changed && array.dtype == type && name != "input" &&
          name.find(part) != std::string::npos) {
        if (type == DType::i8)
          for (std::byte& b : array.bytes) b ^= std::byte{0x1f};
        else
          for (std::size_t i = 3; i < array.bytes.size(); i += 4) array.bytes[i] = std::byte{0x3e};
        changed = true;
      }
    EXPECT_TRUE(changed) << part;
    EXPECT_TRUE(write_npz(folder / "other.npz", *members).ok());
    return test::run_tool("validate " + tcn() + " --reference neural-art --input " +
                          inputs("stft_tcnn") + " --target " + (folder / "other.npz"));
  };
  const test::Ran assumed = answer("", DType::f32);
  EXPECT_EQ(assumed.code, 0) << assumed.out;
  EXPECT_NE(assumed.out.find("its difference is no verdict"), std::string::npos) << assumed.out;
  EXPECT_NE(assumed.out.find("nothing proven wrong"), std::string::npos) << assumed.out;
  const test::Ran codes = answer("block_1/network/network.2/Add_output_0", DType::i8);
  EXPECT_EQ(codes.code, 1) << codes.out;
}

TEST(NpuCommands, diagnose_tells_apart_what_the_program_explains) {
  LOCKSTEP_NEEDS_SHARED();
  const test::Ran ran = test::run_tool("diagnose " + tcn() + " --input " + inputs("stft_tcnn") +
                                       " --target npu:" + program("stft_tcnn") + " --program " +
                                       program("stft_tcnn"));
  EXPECT_NE(ran.out.find("explained"), std::string::npos) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("0 are unexplained"), std::string::npos) << ran.out;
}

// One wrong arithmetic unit: the program says which Adds it computes, the operators' names do not.
TEST(NpuCommands, a_fault_of_one_unit_of_the_program_has_that_units_work_as_its_scope) {
  LOCKSTEP_NEEDS_SHARED();
  const test::Folder folder;
  const auto scopes_of = [&](const std::string& fault) {
    const test::Ran ran = test::run_tool("diagnose " + tcn() + " --input " + inputs("stft_tcnn") +
                                         " --target sim:" + fault + " --program " +
                                         program("stft_tcnn") + " --json " + (folder / "r.json"));
    EXPECT_EQ(ran.code, 1) << ran.err;
    return nlohmann::json::parse(test::text_of(folder / "r.json"))["scopes"];
  };
  const std::string one = "operand-rescale@/tcn/tcn_block_0/network/network.0/Add,k=0.5";
  std::string all, unit;
  for (const auto& scope : scopes_of(one))
    if (scope["scope"].get<std::string>().starts_with("every operation on ARITH ")) {
      unit = scope["scope"];
      for (const auto& node : scope["nodes"])
        all += (all.empty() ? "" : "+") + ("operand-rescale@" + node.get<std::string>() + ",k=0.5");
    }
  ASSERT_NE(unit, "");
  ASSERT_NE(all, one);
  const auto scopes = scopes_of(all);
  ASSERT_FALSE(scopes.empty());
  EXPECT_EQ(scopes[0]["scope"], unit);
  EXPECT_EQ(scopes[0]["shown"], scopes[0]["nodes"].size());
}

TEST(NpuCommands, map_and_attribute_print_every_epoch) {
  LOCKSTEP_NEEDS_SHARED();
  const test::Ran map = test::run_tool("npu map " + program("stft_tcnn") + " --model " + tcn());
  EXPECT_EQ(map.code, 0) << map.err;
  EXPECT_NE(map.out.find("because: no unit computes conv_integer"), std::string::npos)
      << map.out.substr(0, 2000);
  const test::Ran attribute = test::run_tool("npu attribute " + program("stft_tcnn") + " --model " +
                                             tcn() + " --input " + inputs("stft_tcnn"));
  EXPECT_EQ(attribute.code, 0) << attribute.err;
  EXPECT_NE(attribute.out.find("0 of them without a predicted cause"), std::string::npos)
      << attribute.out;
}

TEST(NpuCommands, lower_writes_a_program_that_runs_and_refuses_what_it_does_not_cover) {
  const test::Folder folder;
  const std::string model = "examples/s2/liveness_int8.onnx";
  const test::Ran made =
      test::run_tool("npu lower " + model + " -o " + (folder / "p.program.json"));
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_NE(made.out.find("11 epochs, 1 of them of the CPU"), std::string::npos) << made.out;
  EXPECT_EQ(folder.files(), 2u);  // the program and its constants
  const test::Ran audit =
      test::run_tool("audit " + (folder / "p.program.json") + " --model " + model);
  EXPECT_EQ(audit.code, 0) << audit.out << audit.err;
  const test::Ran run = test::run_tool("npu run " + (folder / "p.program.json") + " --model " +
                                       model + " --input examples/s2/faces.npz --mode chained");
  EXPECT_EQ(run.code, 0) << run.err;
  std::filesystem::remove(folder / "p.program.json"), std::filesystem::remove(folder / "p.0.bin");
  test::expect_refused(
      test::run_tool("npu lower examples/s1/tcn_float.onnx -o " + (folder / "p.program.json")),
      "window: reals that more than a quantizer reads");
  EXPECT_EQ(folder.files(), 0u);
}

TEST(NpuCommands, a_program_without_its_weights_or_its_blobs_is_refused) {
  const test::Folder folder;
  std::ofstream(folder / "network.c")
      << "static void LL_ATON_Start_EpochBlock_1(const void *e)\n{\n}\nstatic const "
         "EpochBlock_ItemTypeDef e[] = { { .flags = EpochBlock_Flags_blob, }, };\n";
  test::expect_refused(test::run_tool("audit " + (folder / "network.c")), "_ecblobs.h");
}

}  // namespace
}  // namespace lockstep
