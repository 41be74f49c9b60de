#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>

#include "support/folders.h"
#include "support/programs.h"

namespace lockstep {
namespace {

TEST(House, every_file_is_as_clang_format_leaves_it) {
  LOCKSTEP_NEEDS_PROGRAMS("clang-format");
  EXPECT_EQ(
      std::system((test::source_folder() + "/scripts/format --check > /dev/null 2>&1").c_str()), 0)
      << "run make fmt";
}

// clang 14 compiles the library for the fuzzers, and rejects libstdc++ 12's subranges: the
// algorithms of std take iterators instead.
TEST(House, no_source_calls_a_range_algorithm_that_clang_14_cannot_compile) {
  const std::regex call(
      "std::ranges::(unique|remove|remove_if|partition|stable_partition|rotate|search|find_end|"
      "equal_range)\\(");
  int files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(test::source_folder() + "/src")) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".cpp" && extension != ".h") continue;
    ++files;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    EXPECT_FALSE(std::regex_search(text.str(), call)) << entry.path();
  }
  EXPECT_GT(files, 100);
}

}  // namespace
}  // namespace lockstep
