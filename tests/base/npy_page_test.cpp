#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "base/npy.h"
#include "support/folders.h"

namespace lockstep {
namespace {

// The bytes of the hexadecimal dump in docs/captures.md.
Bytes dump_of_the_page() {
  std::ifstream page(test::source_folder() + "/docs/captures.md");
  Bytes bytes;
  for (std::string line; std::getline(page, line);) {
    if (!std::regex_search(line, std::regex("^[0-9a-f]{4}  "))) continue;
    std::istringstream words(line.substr(4));
    for (int octet = 0; words >> std::hex >> octet;) bytes.push_back(static_cast<std::byte>(octet));
  }
  return bytes;
}

TEST(NpyPage, shows_a_file_that_is_read_and_written_so) {
  const Bytes dump = dump_of_the_page();
  const auto array = parse_npy(dump, "docs/captures.md");
  ASSERT_TRUE(array.ok()) << array.error().line();
  EXPECT_EQ(array->shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(array->bytes, (Bytes{std::byte{1}, std::byte{0xfe}, std::byte{3}, std::byte{0xfc}}));
  EXPECT_EQ(format_npy(*array), dump);
}

}  // namespace
}  // namespace lockstep
