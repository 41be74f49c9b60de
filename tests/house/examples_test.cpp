#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/folders.h"

namespace fs = std::filesystem;

namespace lockstep {
namespace {

// White space folded to one blank.
std::string folded(const std::string& text) {
  std::istringstream in(text);
  std::string all;
  for (std::string word; in >> word;) all += word + " ";
  return all;
}

// The fenced blocks of a page, line by line.
std::vector<std::vector<std::string>> blocks_of(const fs::path& page) {
  std::ifstream in(page);
  std::vector<std::vector<std::string>> blocks;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) blocks.emplace_back();
    } else if (inside) {
      blocks.back().push_back(line);
    }
  }
  return blocks;
}

// What a command of a page prints, run in `folder`. It finds a mismatch (1) or none (0).
std::string printed_by(const std::string& command, const fs::path& folder) {
  const std::string line = "cd '" + folder.string() + "' && PATH='" + test::binary_folder() +
                           "/bin':$PATH " + command + " 2>&1";
  FILE* pipe = ::popen(line.c_str(), "r");
  std::string text;
  for (int c; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  const int status = ::pclose(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) <= 1) << command << "\n" << text;
  return text;
}

// Parts of a shown line between "..." stand in the output.
void expect_shown(const std::string& shown, const std::string& output, const fs::path& page) {
  for (std::size_t from = 0; from < shown.size();) {
    const std::size_t to = std::min(shown.find("...", from), shown.size());
    const std::string part = folded(shown.substr(from, to - from));
    EXPECT_NE(output.find(part.substr(0, part.find_last_not_of(' ') + 1)), std::string::npos)
        << page << " shows what is not printed: " << part;
    from = to + 3;
  }
}

class Examples : public testing::TestWithParam<const char*> {};

TEST_P(Examples, every_command_of_the_page_runs_and_prints_what_the_page_shows) {
  const fs::path kept = fs::path(test::source_folder()) / "examples" / GetParam();
  const fs::path folder = fs::temp_directory_path() /
                          ("lockstep_" + std::string(GetParam()) + std::to_string(::getpid()));
  fs::copy(kept, folder, fs::copy_options::recursive);
  std::string output;
  int commands = 0;
  for (const auto& block : blocks_of(kept / "README.md")) {
    for (const std::string& line : block) {
      if (line.starts_with("lockstep ")) {
        output = folded(printed_by(line, folder));
        ++commands;
      } else if (!line.starts_with("pip ") && !line.starts_with("python ")) {
        expect_shown(line, output, kept / "README.md");
      }
    }
  }
  EXPECT_GE(commands, 5);
  fs::remove_all(folder);
}
INSTANTIATE_TEST_SUITE_P(All, Examples, testing::Values("s0", "s1", "s2", "s3", "s4"));

}  // namespace
}  // namespace lockstep
