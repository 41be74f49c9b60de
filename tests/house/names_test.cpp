#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>

#include "support/folders.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

// Two types of one name have one destructor where the linker meets two: the wrong one for either.
TEST(House, no_two_types_of_one_namespace_have_the_same_name) {
  const std::regex opened("namespace ([a-z_:]*) ?\\{");
  const std::regex type("(?:struct|class|union) (\\w+)(?: final)?(?: :.*)? \\{.*");
  std::map<std::string, std::string> file_of;
  for (const auto& entry : fs::recursive_directory_iterator(test::source_folder() + "/src")) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".h" && extension != ".cpp") continue;
    std::ifstream in(entry.path());
    std::string space;
    bool of_this_file = false;  // inside of an anonymous namespace
    for (std::string line; std::getline(in, line);) {
      std::smatch found;
      if (line == "namespace {") of_this_file = true;
      if (line == "}  // namespace") of_this_file = false;
      if (std::regex_match(line, found, opened) && found.length(1) > 0) space = found[1];
      if (of_this_file || !std::regex_match(line, found, type)) continue;
      const auto [other, is_new] =
          file_of.emplace(space + "::" + found[1].str(), entry.path().string());
      EXPECT_TRUE(is_new) << other->first << " in " << other->second << " and " << entry.path();
    }
  }
  EXPECT_GT(file_of.size(), 200u);
}

}  // namespace
}  // namespace lockstep
