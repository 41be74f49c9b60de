#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "support/folders.h"

namespace fs = std::filesystem;

namespace lockstep {
namespace {

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Pages, the_generated_ones_are_fresh) {
  const fs::path fresh = fs::temp_directory_path() / ("lockstep_pages_" + std::to_string(::getpid()));
  fs::create_directories(fresh);
  const std::string command = test::binary_folder() + "/bin/lockstep docs --write " + fresh.string();
  ASSERT_EQ(std::system((command + " > /dev/null").c_str()), 0);
  int pages = 0;
  for (const auto& entry : fs::directory_iterator(fresh)) {
    const fs::path kept = fs::path(test::source_folder()) / "docs" / entry.path().filename();
    EXPECT_TRUE(text_of(entry.path()) == text_of(kept)) << "docs/" << entry.path().filename().string()
                                                        << " is stale: run make docs";
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

}  // namespace
}  // namespace lockstep
