#include <gtest/gtest.h>

#include "base/files.h"
#include "support/command.h"
#include "support/shared.h"

namespace lockstep {
namespace {

std::string kws() {
  return test::shared_folder() + "/models/mlperf/kws_ref_model_int8.tflite";
}

TEST(Generate, says_what_it_wrote_and_what_memory_it_needs) {
  LOCKSTEP_NEEDS_SHARED();
  const test::Folder folder;
  const test::Ran ran =
      test::run_tool("generate " + kws() + " -o " + folder / "net" + " --picture");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("arithmetic tflite-ref"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("activations  "), std::string::npos);
  EXPECT_NE(ran.out.find("pool arena"), std::string::npos);
  EXPECT_NE(test::text_of(folder / "net/network.h").find("void network_run(void);"),
            std::string::npos);
}

TEST(Generate, names_every_function_by_the_prefix) {
  LOCKSTEP_NEEDS_SHARED();
  const test::Folder folder;
  const test::Ran ran =
      test::run_tool("generate " + kws() + " -o " + folder / "net" + " --name keyword");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(test::text_of(folder / "net/keyword.h").find("void keyword_run(void);"),
            std::string::npos);
}

TEST(Generate, refuses_pools_that_are_none_and_pools_that_are_too_small) {
  LOCKSTEP_NEEDS_SHARED();
  const test::Folder folder;
  test::expect_refused(
      test::run_tool("generate " + kws() + " -o " + folder / "net" + " --pool fast"), "NAME:BYTES");
  test::expect_refused(
      test::run_tool("generate " + kws() + " -o " + folder / "net" + " --pool fast:1000"),
      "fit in no pool");
  test::expect_refused(test::run_tool("generate " + kws() + " -o " + folder / "net" + " --name 3x"),
                       "identifier");
  EXPECT_EQ(folder.files(), 0u);
}

TEST(Generate, an_operator_without_c_is_named_and_nothing_is_written) {
  LOCKSTEP_NEEDS_SHARED();
  const test::Folder folder;
  test::expect_refused(
      test::run_tool("generate " + test::shared_folder() +
                     "/onnx-node-tests/test_clip_example/model.onnx -o " + folder / "net"),
      "Clip 'Clip:y': no C for computed bounds");
  EXPECT_EQ(folder.files(), 0u);
}

TEST(Generate, pools_of_a_file_are_used_and_those_without_rights_are_named) {
  LOCKSTEP_NEEDS_SHARED();
  const test::Folder folder;
  ASSERT_TRUE(write_file(folder / "board.mpool",
                         R"({"memory": {"mempools": [
    {"name": "slowRAM", "prop": {"rights": "ACC_WRITE", "throughput": "LOW"}, "size": {"value": "64", "magnitude": "KBYTES"}},
    {"name": "fastRAM", "prop": {"rights": "ACC_WRITE", "throughput": "HIGH"}, "size": {"value": "8", "magnitude": "KBYTES"},
     "offset": {"value": "0x342e0000"}},
    {"name": "flash", "prop": {"rights": "ACC_READ"}, "size": {"value": "1", "magnitude": "MBYTES"}}]}})")
                  .ok());
  const std::string start = "generate " + kws() + " -o " + folder / "net" + " --pools ";
  const test::Ran ran = test::run_tool(start + folder / "board.mpool" + " --picture");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("not used     flash (read only)"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("at 0x342e0000, speed"), std::string::npos) << ran.out;
  EXPECT_NE(test::text_of(folder / "net/network.c").find("((uint8_t *)(uintptr_t)0x342e0000u)"),
            std::string::npos);
  test::expect_refused(test::run_tool(start + folder / "none.mpool"), "none.mpool");
}

TEST(Generate, refuses_a_folder_that_is_no_checkout_of_cmsis_nn_and_another_arithmetic) {
  LOCKSTEP_NEEDS_SHARED();
  const test::Folder folder;
  const std::string start = "generate " + kws() + " -o " + folder / "net";
  test::expect_refused(test::run_tool(start + " --cmsis-nn " + folder / "none"),
                       "no Include/arm_nnfunctions.h");
  test::expect_refused(
      test::run_tool(start + " --cmsis-nn " + folder / "none" + " --arith tflite-ref"),
      "does not compute the arithmetic tflite-ref");
  EXPECT_EQ(folder.files(), 0u);
}

TEST(Generate, two_pools_are_filled_the_fast_one_first) {
  LOCKSTEP_NEEDS_SHARED();
  const test::Folder folder;
  const test::Ran ran = test::run_tool("generate " + kws() + " -o " + folder / "net" +
                                       " --pool slow:65536 --pool fast:8192:2");
  EXPECT_EQ(ran.code, 0) << ran.err;
  const std::string source = test::text_of(folder / "net/network.c");
  EXPECT_NE(source.find("static uint8_t fast["), std::string::npos);
  EXPECT_NE(source.find("static uint8_t slow["), std::string::npos);
  const test::Ran same = test::run_tool("validate " + kws() + " --target c:" + folder / "net" +
                                        ",poison=on --tolerance exact --samples 1");
  EXPECT_EQ(same.code, 0) << same.out << same.err;
}

}  // namespace
}  // namespace lockstep
