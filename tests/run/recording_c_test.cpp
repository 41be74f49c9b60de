// Arrays of C and GDB's prints: what once went wrong. What they look like is tested in
// recording_text_test.cpp.
#include <gtest/gtest.h>

#include <chrono>

#include "run/recording_text.h"

namespace lockstep {
namespace {

Result<Recording> read(std::string_view text) {
  return recording_from_c(text, "file", "file.txt");
}

// GDB escapes the quote and the backslash: the search for the end once stopped at the escaped
// quote.
TEST(RecordingC, codes_39_and_92_as_gdb_prints_them) {
  const auto r = read(R"((gdb) p out
$1 = {39 '\'', 92 '\\', -1 '\377', 65 'A', 39 '\'' <repeats 2 times>, 0 '\000'})");
  ASSERT_TRUE(r.ok()) << r.error().line();
  ASSERT_EQ(r->arrays.size(), 1u);
  const std::vector<double> wanted{39, 92, -1, 65, 39, 39, 0};
  ASSERT_EQ(r->arrays[0].tensor.count(), static_cast<std::int64_t>(wanted.size()));
  for (std::size_t i = 0; i < wanted.size(); ++i)
    EXPECT_EQ(r->arrays[0].tensor.number(static_cast<std::int64_t>(i)), wanted[i]) << i;
  for (const char* cut : {"$1 = {39 '\\'", "$1 = {39 '\\", "$1 = {39 '"})
    EXPECT_FALSE(read(cut).ok()) << cut;
}

// For each brace the text was once searched back to its beginning: 5.5 s for these.
TEST(RecordingC, braces_without_end_take_no_time) {
  const auto before = std::chrono::steady_clock::now();
  const auto r = read("int8_t a[]={1} " + std::string(2000000, '{'));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  ASSERT_TRUE(r.ok()) << r.error().line();
  EXPECT_EQ(r->arrays.size(), 1u);
}

TEST(RecordingC, a_statement_ends_at_its_semicolon_and_at_its_list) {
  const auto r = read("uint8_t n; struct { int8_t a; } s; int8_t b[] = {1}; c = {2} d = {3};");
  ASSERT_TRUE(r.ok()) << r.error().line();
  ASSERT_EQ(r->arrays.size(), 3u);
  EXPECT_EQ(r->arrays[0].name, "b");
  EXPECT_EQ(r->arrays[0].tensor.dtype(), DType::i8);
  EXPECT_EQ(r->arrays[1].tensor.dtype(), DType::f32);
  EXPECT_EQ(r->arrays[2].name, "d");
}

// The limit once held for each list: a text of a few lines took all memory.
TEST(RecordingC, repeats_of_all_lists_together_are_limited) {
  const std::string list = "static int8_t a[] = {1 <repeats 6000000 times>};\n";
  ASSERT_TRUE(read(list).ok());
  const auto r = read(list + list + list);
  ASSERT_FALSE(r.ok());
  EXPECT_NE(r.error().line().find("16777216 repeated elements"), std::string::npos)
      << r.error().line();
  EXPECT_NE(r.error().line().find("line 3"), std::string::npos) << r.error().line();
}

}  // namespace
}  // namespace lockstep
