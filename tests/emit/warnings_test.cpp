// Generated C compiles without a warning under gcc, clang and the Cortex-M55's compiler.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

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
  if (absent > 0)
    LOCKSTEP_CANNOT_RUN(absent << " of " << compiled + absent
                               << " compilations: compiler not installed");
}

// The lines between "generated C99." and the blank line behind them.
std::string shown_use(const std::string& header) {
  const std::size_t begin = header.find(" *   network_init();"), end = header.find(" *\n", begin);
  if (begin == std::string::npos || end == std::string::npos) return "";
  std::string use;
  std::istringstream lines(header.substr(begin, end - begin));
  for (std::string line; std::getline(lines, line);) use += line.substr(2) + "\n";
  return use;
}

TEST(Warnings, the_use_that_the_header_shows_compiles_as_c_and_cpp_and_runs) {
  LOCKSTEP_NEEDS_SHARED();
  const test::TemporaryFolder folder;
  const auto made =
      test::generate_into(test::shared_folder() + "/models/mlperf/kws_ref_model_int8.tflite",
                          "tflite-ref", folder / "net");
  ASSERT_TRUE(made.ok()) << made.error().line();
  const auto header = std::ranges::find(made->generated.files, "network.h", &GeneratedFile::path);
  const std::string use = shown_use(header->text);
  ASSERT_NE(use.find("network_run();"), std::string::npos) << header->text.substr(0, 600);
  const std::string program =
      "#include <string.h>\n#include \"network.h\"\nstatic const unsigned char "
      "pixels[NETWORK_INPUT_0_BYTES] = {1};\n"
      "static int seen;\nstatic void use(const void *y) { seen = y != NULL && "
      "network_input(NETWORK_INPUTS) == NULL; }\n"
      "int main(void) {\n" +
      use + "  return seen ? 7 : 1;\n}\n";
  ASSERT_TRUE(write_file(folder / "main.c", program).ok());
  ASSERT_TRUE(write_file(folder / "main.cpp", program).ok());
  const std::string flags = " -Wall -Wextra -Wconversion -pedantic -Werror -ffp-contract=off -I'" +
                            (folder / "net") + "' ";
  const std::string build = "cd '" + (folder / "net") + "' && cc -std=c99 -O1" + flags +
                            "../main.c *.c -lm -o ../program && " + "c++ -fsyntax-only" + flags +
                            "../main.cpp";
  ASSERT_EQ(std::system(build.c_str()), 0) << program;
  EXPECT_EQ(WEXITSTATUS(std::system(("'" + (folder / "program") + "'").c_str())), 7);
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
