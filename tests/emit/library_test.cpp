// Generated C that calls CMSIS-NN, where a checkout of it is named by $LOCKSTEP_CMSIS_NN.
#include "emit/library.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "support/generated_network.h"
#include "support/programs.h"
#include "support/shared.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

TEST(Library, names_of_a_c_file_are_told_from_comments_strings_and_calls) {
  const CNames names = c_names(
      "#define arm_macro(x) \\\n  arm_hidden(x)\n/* arm_comment() {} */ // arm_line() {\n"
      "static const char *text = \"arm_string() {\";\n"
      "const int32_t arm_table[2] = {1, arm_one};\n"
      "int32_t arm_declared(int32_t x);\n"
      "static __inline int32_t arm_defined(const int32_t (*f)(int32_t), int32_t n)\n"
      "{ if (n) { return arm_called(n); } return f(0); }\n"
      "struct arm_shape { int w; };\n");
  EXPECT_EQ(names.defined, (std::set<std::string>{"arm_table", "arm_defined"}));
  for (const char* const name : {"arm_called", "arm_one", "arm_declared"})
    EXPECT_TRUE(names.mentioned.contains(name)) << name;
  for (const char* const name : {"arm_hidden", "arm_comment", "arm_line", "arm_string", "2"})
    EXPECT_FALSE(names.mentioned.contains(name)) << name;
}

// A folder with the header and the files of a small library.
void write_library(const test::TemporaryFolder& folder, const std::string& sums) {
  std::filesystem::create_directories(folder / "lib/Include");
  std::filesystem::create_directories(folder / "lib/Source/Part");
  ASSERT_TRUE(write_file(folder / "lib/Include/arm_nnfunctions.h",
                         "void arm_vector_sum_s8(" + sums +
                             ");\nvoid arm_fully_connected_per_channel_s8(void);\n")
                  .ok());
  ASSERT_TRUE(write_file(folder / "lib/Source/arm_a.c", "void arm_a(void) { arm_b(); }\n").ok());
  ASSERT_TRUE(
      write_file(folder / "lib/Source/Part/arm_b.c", "void arm_b(void) { use(arm_t); }\n").ok());
  ASSERT_TRUE(write_file(folder / "lib/Source/arm_t.c", "const int arm_t[1] = {1};\n").ok());
  ASSERT_TRUE(
      write_file(folder / "lib/Source/arm_other.c", "void arm_c(void) { arm_a(); }\n").ok());
  ASSERT_TRUE(write_file(folder / "lib/Source/arm_b_f32.c", "void arm_b(void) {}\n").ok());
}

TEST(Library, sources_are_those_that_the_functions_reach) {
  const test::TemporaryFolder folder;
  write_library(folder, "int rhs_offset, const int *bias_data");
  const auto sources = library_sources(folder / "lib", {"arm_a"});
  ASSERT_TRUE(sources.ok()) << sources.error().line();
  EXPECT_EQ(*sources,
            (std::vector<std::string>{"Source/Part/arm_b.c", "Source/arm_a.c", "Source/arm_t.c"}));
  const auto absent = library_sources(folder / "lib", {"arm_nothing"});
  ASSERT_FALSE(absent.ok());
  EXPECT_NE(absent.error().what.find("arm_nothing"), std::string::npos);
}

TEST(Library, another_arithmetic_no_checkout_and_another_interface_are_refused) {
  const test::TemporaryFolder folder;
  write_library(folder, "int rhs_offset, const int *bias_data");
  const Arithmetic &cmsis = *find_arithmetic("cmsis-nn"), &other = *find_arithmetic("tflite-ref");
  EXPECT_TRUE(library_for(cmsis, folder / "lib").ok());
  EXPECT_TRUE(library_for(*find_arithmetic("cmsis-nn-single"), folder / "lib").ok());
  EXPECT_FALSE(library_for(other, folder / "lib").ok());
  EXPECT_FALSE(library_for(cmsis, folder / "nothing").ok());
  write_library(folder, "int lhs_offset");
  const auto old = library_for(cmsis, folder / "lib");
  ASSERT_FALSE(old.ok());
  EXPECT_NE(old.error().what.find("other parameters"), std::string::npos);
}

struct Case {
  const char *path, *arithmetic;
  int least;  // nodes that the library computes
};
constexpr Case cases[] = {
    {"mlperf/kws_ref_model_int8.tflite", "cmsis-nn", 12},
    {"mlperf/resnet8_int8.tflite", "cmsis-nn", 15},
    {"mlperf/vww_96_int8.tflite", "cmsis-nn", 30},
    {"mlperf/ad01_int8.tflite", "cmsis-nn", 10},
    {"mlperf/str_ww_ref_model_int8.tflite", "cmsis-nn", 5},
    {"st/blazeface_front_128_int8.tflite", "cmsis-nn", 40},
    {"st_zoo/yamnet_256_64x96_int8.tflite", "cmsis-nn", 13},
    {"tflm/person_detect.tflite", "cmsis-nn", 28},
    {"tflm/micro_speech_quantized.tflite", "cmsis-nn", 3},
    {"tflm/simple_add_model.tflite", "cmsis-nn", 0},
    {"timeseries/tinyhar_depthwise_cnn_int8.tflite", "cmsis-nn", 3},
    {"mlperf/kws_ref_model_int8.tflite", "cmsis-nn-single", 12},
    {"networks:attention", "cmsis-nn", 1},
    {"networks:embedding", "cmsis-nn", 1},
    {"networks:mixed", "cmsis-nn", 1},
    {"networks:mobile", "cmsis-nn", 1},
    {"networks:unet", "cmsis-nn", 1},
    {"networks:yolo", "cmsis-nn", 1},
};

std::string path_of(const Case& c) {
  const std::string path = c.path;
  if (!path.starts_with("networks:")) return test::shared_folder() + "/models/" + path;
  return test::source_folder() + "/tests/oracle/networks/" + path.substr(9) + "-int8.tflite";
}

class LibraryModels : public testing::TestWithParam<Case> {};

// With the portable form of the library on this machine, with its Helium one on the emulated board.
TEST_P(LibraryModels, equal_the_reference_in_every_tensor) {
  const char* const checkout = std::getenv("LOCKSTEP_CMSIS_NN");
  if (!checkout)
    GTEST_SKIP() << "CMSIS-NN is not part of this tree: $LOCKSTEP_CMSIS_NN names a checkout";
  const Case& c = GetParam();
  if (c.path[0] != 'n') LOCKSTEP_NEEDS_SHARED();
  const test::TemporaryFolder folder;
  GenerateOptions options;
  options.cmsis_nn = checkout;
  const auto made = test::generate_into(path_of(c), c.arithmetic, folder / "net", options);
  ASSERT_TRUE(made.ok()) << made.error().line();
  int nodes = 0;
  for (const auto& [op, count] : made->generated.library_nodes) nodes += count;
  EXPECT_GE(nodes, c.least);
  EXPECT_EQ(overlap_of(made->generated.plan), "");
  const test::Compared here =
      test::run_and_compare(*made, "c:" + (folder / "net") + ",poison=on", 2);
  EXPECT_EQ(here.different, 0) << "on this machine, first: " << here.first;
  if (!test::missing_of({"qemu-system-arm", "arm-none-eabi-gcc"}).empty()) return;
  const test::Compared board = test::run_and_compare(*made, "qemu:" + (folder / "net"), 1);
  EXPECT_EQ(board.different, 0) << "on the board, first: " << board.first;
}

INSTANTIATE_TEST_SUITE_P(CmsisNn, LibraryModels, testing::ValuesIn(cases), [](const auto& one) {
  std::string name =
      std::string(one.param.path).substr(std::string(one.param.path).find_first_of("/:") + 1);
  name += std::string("_") + one.param.arithmetic;
  for (char& ch : name)
    if (!std::isalnum(static_cast<unsigned char>(ch))) ch = '_';
  return name;
});

}  // namespace
}  // namespace lockstep
