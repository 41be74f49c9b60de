#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "support/folders.h"

namespace fs = std::filesystem;

namespace lockstep {
namespace {

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Pages, the_generated_ones_are_fresh) {
  const fs::path fresh =
      fs::temp_directory_path() / ("lockstep_pages_" + std::to_string(::getpid()));
  fs::create_directories(fresh);
  const std::string command =
      test::binary_folder() + "/bin/lockstep docs --write " + fresh.string();
  ASSERT_EQ(std::system((command + " > /dev/null").c_str()), 0);
  int pages = 0;
  for (const auto& entry : fs::directory_iterator(fresh)) {
    const fs::path kept = fs::path(test::source_folder()) / "docs" / entry.path().filename();
    EXPECT_TRUE(text_of(entry.path()) == text_of(kept))
        << "docs/" << entry.path().filename().string() << " is stale: run make docs";
    ++pages;
  }
  EXPECT_GE(pages, 4);
  fs::remove_all(fresh);
}

TEST(Pages, the_readme_shows_what_the_demo_prints) {
  const fs::path root(test::source_folder());
  const std::string golden = text_of(root / "tests/golden/validate_s1.txt");
  ASSERT_FALSE(golden.empty());
  EXPECT_NE(text_of(root / "README.md").find(golden), std::string::npos)
      << "README.md does not hold tests/golden/validate_s1.txt";
}

TEST(Pages, the_readme_fits_one_screen) {
  std::ifstream in(fs::path(test::source_folder()) / "README.md");
  int lines = 0;
  for (std::string line; std::getline(in, line);) ++lines;
  EXPECT_LE(lines, 80);
}

std::string help_of(const std::string& command) {
  const std::string line = test::binary_folder() + "/bin/lockstep " + command + " --help 2>&1";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(line.c_str(), "r"), &::pclose);
  std::string text;
  for (int c; (c = std::fgetc(pipe.get())) != EOF;) text += static_cast<char>(c);
  return text;
}

std::vector<fs::path> hand_written_pages() {
  const fs::path root(test::source_folder());
  std::vector<fs::path> pages = {root / "README.md", root / "CONTRIBUTING.md"};
  for (const char* folder : {"docs", "examples"})
    for (const auto& entry : fs::recursive_directory_iterator(root / folder))
      if (entry.path().extension() == ".md") pages.push_back(entry.path());
  return pages;
}

// `lockstep COMMAND ... --option`, wherever a page shows it.
TEST(Pages, name_only_options_that_their_commands_have) {
  const std::string general = help_of("");
  const std::regex call("lockstep ((?:[a-z]+ )+)([^\n`]*)");
  const std::regex option("(?:^|[\\s\\[])(--[a-z][a-z-]*)");
  std::map<std::string, std::string> help;
  int seen = 0;
  for (const fs::path& page : hand_written_pages()) {
    const std::string text = text_of(page);
    for (std::sregex_iterator it(text.begin(), text.end(), call), end; it != end; ++it) {
      const std::string words = (*it)[1], rest = (*it)[2];
      std::string command = words.substr(0, words.find(' '));
      if (general.find("\n  " + command + " ") == general.npos) continue;  // prose
      if (command == "npu" && words.size() > 4)
        command = words.substr(0, words.find(' ', std::size_t{4}));
      if (!help.contains(command)) help[command] = help_of(command);
      for (std::sregex_iterator o(rest.begin(), rest.end(), option); o != end; ++o, ++seen) {
        const std::string name = (*o)[1];
        EXPECT_TRUE(help[command].find(name) != general.npos || general.find(name) != general.npos)
            << page << ": lockstep " << command << " has no " << name;
      }
    }
  }
  EXPECT_GT(seen, 50);
}

}  // namespace
}  // namespace lockstep
