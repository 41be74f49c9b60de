// Generated C compiles without a warning under gcc, clang and the Cortex-M55's compiler.
#include <gtest/gtest.h>

#include <cstdlib>

#include "support/generated_network.h"
#include "support/programs.h"
#include "support/shared.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

constexpr const char* compilers[] = {
    "gcc",
    "clang",
    "arm-none-eabi-gcc -mcpu=cortex-m55 -mthumb -mfloat-abi=hard",
    "arm-none-eabi-gcc -mcpu=cortex-m55+nomve -mthumb -mfloat-abi=hard",
};

struct Case {
  const char* path;
  const char* arithmetic;
};
constexpr Case cases[] = {{"mlperf/kws_ref_model_int8.tflite", "tflite-ref"},
                          {"mlperf/resnet8_int8.tflite", "cmsis-nn"},
                          {"timeseries/tinyhar_cnn_attention_int8.tflite", "tflite-ref"},
                          {"face/mobilefacenet_int8_faces.onnx", "ort"},
                          {"tract/qsigmoid_1/model.onnx", "ort"}};

TEST(Warnings, no_kernel_has_one_under_any_compiler) {
  int compiled = 0, absent = 0;
  for (const std::string& compiler :
       std::vector<std::string>(std::begin(compilers), std::end(compilers))) {
    if (!test::have(compiler)) {
      ++absent;
      continue;
    }
    const std::string command =
        "cd '" + test::source_folder() + "/rt' && for f in ls_*.c; do " + compiler +
        " -std=c99 -O1 -fsyntax-only -ffp-contract=off -Wall -Wextra -Wconversion -pedantic "
        "-Werror $f || exit 1; done";
    EXPECT_EQ(std::system(command.c_str()), 0) << compiler;
    ++compiled;
  }
  EXPECT_GT(compiled, 0);
  if (absent > 0) LOCKSTEP_CANNOT_RUN(absent << " compilers not installed");
}

TEST(Warnings, none_under_all_extra_conversion_and_pedantic) {
  LOCKSTEP_NEEDS_SHARED();
  int compiled = 0, absent = 0;
  for (const Case& c : cases) {
    const test::TemporaryFolder folder;
    const auto made = test::generate_into(test::shared_folder() + "/models/" + c.path, c.arithmetic,
                                          folder / "net");
    ASSERT_TRUE(made.ok()) << made.error().line();
    for (const std::string& compiler :
         std::vector<std::string>(std::begin(compilers), std::end(compilers))) {
      if (!test::have(compiler)) {
        ++absent;
        continue;
      }
      const std::string command = "cd '" + (folder / "net") + "' && for f in *.c; do " + compiler +
                                  " -std=c99 -O2 -ffp-contract=off -Wall -Wextra -Wconversion "
                                  "-pedantic -Werror -c $f -o out.o || exit 1; done";
      EXPECT_EQ(std::system(command.c_str()), 0) << c.path << " under " << compiler;
      ++compiled;
    }
  }
  EXPECT_GT(compiled, 0);
  if (absent > 0) LOCKSTEP_CANNOT_RUN(absent << " of " << compiled + absent << " compilations: compiler not installed");
}

TEST(Warnings, generated_files_call_nothing_of_the_c_library_but_string_and_math) {
  LOCKSTEP_NEEDS_SHARED();
  const test::TemporaryFolder folder;
  const auto made =
      test::generate_into(test::shared_folder() + "/models/mlperf/kws_ref_model_int8.tflite",
                          "tflite-ref", folder / "net");
  ASSERT_TRUE(made.ok()) << made.error().line();
  for (const GeneratedFile& f : made->generated.files)
    for (const char* word : {"malloc", "free(", "printf", "stdio.h", "stdlib.h", "assert"}) {
      const bool c = f.path.ends_with(".c") || f.path.ends_with(".h");
      EXPECT_FALSE(c && f.text.find(word) != std::string::npos) << f.path << ": " << word;
    }
}

}  // namespace
}  // namespace lockstep
