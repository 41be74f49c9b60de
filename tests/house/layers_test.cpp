#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "support/folders.h"

namespace fs = std::filesystem;

namespace lockstep {
namespace {

// Each room may include what stands in an earlier row; rooms of one row do not know each other.
const std::vector<std::vector<std::string>> rows = {
    {"base"},     {"num"},      {"ir"},
    {"arith"},    {"op"},       {"kernel", "import", "export", "pass", "plan"},
    {"device"},   {"run"},      {"measure"},
    {"emit"},     {"frontend"}, {"quant", "npu"},
    {"fault"},    {"target"},   {"diff"},
    {"diagnose"}, {"report"},   {"tool"}};

int row_of(const std::string& room) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (std::ranges::count(rows[i], room)) return static_cast<int>(i);
  return -1;
}

// link stands beside the chain: it knows base, and target alone (and what follows) knows it.
bool may_include(const std::string& from, const std::string& to) {
  if (from == to) return true;
  if (from == "link") return to == "base";
  if (to == "link") return row_of(from) >= row_of("target");
  return row_of(to) >= 0 && row_of(to) < row_of(from);
}

std::vector<fs::path> sources() {
  std::vector<fs::path> found;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(test::source_folder()) / "src"))
    if (entry.path().extension() == ".cpp" || entry.path().extension() == ".h")
      found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(House, includes_point_only_to_the_left) {
  const fs::path src = fs::path(test::source_folder()) / "src";
  const std::regex include("#include \"([a-z]+)/");
  int seen = 0;
  for (const fs::path& path : sources()) {
    const std::string room = fs::relative(path, src).begin()->string();
    const std::string text = text_of(path);
    for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it, ++seen) {
      const std::string other = (*it)[1];
      if (other == "flatbuffers" || other == "onnx") continue;
      EXPECT_TRUE(may_include(room, other))
          << fs::relative(path, src) << " includes " << other << "/";
    }
  }
  EXPECT_GT(seen, 50);
}

TEST(House, every_room_is_one_of_the_plan) {
  for (const auto& entry : fs::directory_iterator(fs::path(test::source_folder()) / "src")) {
    const std::string room = entry.path().filename();
    EXPECT_TRUE(room == "link" || row_of(room) >= 0) << room;
  }
}

TEST(House, only_num_rounds) {
  // fault/ is exempt (going wrong is its job), tool/ and report/ round for the eye.
  const std::set<std::string> exempt = {"num", "fault", "report", "tool", "frontend", "quant"};
  const std::regex rounding(R"(\b(std::)?(l?lrint|l?lround|nearbyint|rint|round)f?\s*\()");
  const fs::path src = fs::path(test::source_folder()) / "src";
  for (const fs::path& path : sources()) {
    if (exempt.contains(fs::relative(path, src).begin()->string())) continue;
    EXPECT_FALSE(std::regex_search(text_of(path), rounding))
        << fs::relative(path, src) << " rounds";
  }
}

TEST(House, nobody_but_tool_prints_or_exits) {
  const std::regex prints(
      R"(\bstd::cout|\bstd::cerr|\bf?printf\s*\(|fmt::print|\bexit\s*\(|\babort\s*\()");
  const fs::path src = fs::path(test::source_folder()) / "src";
  for (const fs::path& path : sources()) {
    if (*fs::relative(path, src).begin() == "tool") continue;
    EXPECT_FALSE(std::regex_search(text_of(path), prints))
        << fs::relative(path, src) << " prints or exits";
  }
}

}  // namespace
}  // namespace lockstep
