#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "support/folders.h"

namespace fs = std::filesystem;

namespace lockstep {
namespace {

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> matches(const std::string& text, const std::regex& pattern) {
  std::set<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it)
    found.insert((*it)[1]);
  return found;
}

// Equations that state what everything else is made of, and so have no single line of code.
const std::set<std::string> principles = {"N1", "N2", "N3", "N4", "N5"};

TEST(Numerics, every_cited_equation_stands_in_the_page_and_every_equation_is_cited) {
  const fs::path root(test::source_folder());
  const auto derived = matches(text_of(root / "docs/numerics.md"), std::regex(R"(\*\*(N\d+)\*\*)"));
  std::set<std::string> cited;
  for (const auto& entry : fs::recursive_directory_iterator(root / "src")) {
    if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
    for (const std::string& n : matches(text_of(entry.path()), std::regex(R"(\b(N\d{1,3})\b)"))) {
      cited.insert(n);
      EXPECT_TRUE(derived.contains(n))
          << entry.path().filename() << " cites " << n << ", which docs/numerics.md lacks";
    }
  }
  for (const std::string& n : derived)
    EXPECT_TRUE(cited.contains(n) || principles.contains(n)) << n << " is cited by no code";
  EXPECT_GE(derived.size(), principles.size());
}

}  // namespace
}  // namespace lockstep
