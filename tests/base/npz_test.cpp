#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/npy.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

std::string scratch(const std::string& name) {
  return (fs::path(testing::TempDir()) / name).string();
}

NpyArray bytes_array(std::vector<std::int8_t> codes) {
  NpyArray array{DType::i8, {static_cast<std::int64_t>(codes.size())}, Bytes(codes.size())};
  std::memcpy(array.bytes.data(), codes.data(), codes.size());
  return array;
}

TEST(Npz, what_was_written_is_read_with_any_name) {
  const std::string path = scratch("names.npz");
  const NpzMembers members = {{"/block0/add_output_0", bytes_array({1, 2, 3})},
                              {"x:0", bytes_array({-4})}};
  ASSERT_TRUE(write_npz(path, members, {{"note.json", "{}"}}).ok());
  const auto read = read_npz_file(path);
  ASSERT_TRUE(read.ok()) << read.error().line();
  ASSERT_EQ(read->members.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read->members[i].first, members[i].first);
    EXPECT_EQ(read->members[i].second.bytes, members[i].second.bytes);
  }
  EXPECT_EQ(read->texts, (NpzTexts{{"note.json", "{}"}}));
}

TEST(Npz, the_same_members_give_the_same_bytes_and_leave_nothing_beside) {
  const std::string folder = scratch("npz_same");
  fs::remove_all(folder);
  fs::create_directory(folder);
  for (const char* name : {"/a.npz", "/b.npz"})
    ASSERT_TRUE(write_npz(folder + name, {{"x", bytes_array({1, 2, 3})}}).ok());
  EXPECT_EQ(*read_file(folder + "/a.npz"), *read_file(folder + "/b.npz"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 2);
  EXPECT_FALSE(write_npz(folder + "/absent/c.npz", {}).ok());
}

TEST(Npz, a_cut_or_changed_archive_is_an_error_or_the_same_arrays) {
  const std::string path = scratch("cut.npz");
  std::vector<std::int8_t> codes(300);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::int8_t>(i * 37 % 251);
  ASSERT_TRUE(write_npz(path, {{"x", bytes_array(codes)}}).ok());
  const Bytes whole = *read_file(path);
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_FALSE(parse_npz(std::span(whole).first(n), "x.npz").ok()) << n << " bytes";
  const auto half = parse_npz(std::span(whole).first(whole.size() / 2), "x.npz");
  EXPECT_NE(half.error().hint.find("cut off"), std::string::npos) << half.error().line();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes flipped = whole;
    flipped[bit / 8] ^= std::byte{1} << bit % 8;
    const auto read = parse_npz(flipped, "x.npz");
    if (!read.ok() || read->members.empty()) continue;  // a name may have lost its ".npy"
    EXPECT_EQ(read->members[0].second.bytes, bytes_array(codes).bytes) << "bit " << bit;
  }
}

// Both sizes of the member, in the central directory (offsets 20 and 24 from its signature), say 1
// GB.
TEST(Npz, a_member_that_claims_a_gigabyte_is_refused) {
  const std::string path = scratch("claim.npz");
  ASSERT_TRUE(write_npz(path, {{"x", bytes_array({1, 2, 3})}}).ok());
  Bytes bytes = *read_file(path);
  const char signature[] = {'P', 'K', 1, 2};
  const auto at = std::search(bytes.begin(), bytes.end(), signature, signature + 4,
                              [](std::byte a, char b) { return a == static_cast<std::byte>(b); });
  ASSERT_NE(at, bytes.end());
  for (int i = 20; i < 28; ++i) at[i] = static_cast<std::byte>(i == 23 || i == 27 ? 0x40 : 0);
  const auto read = parse_npz(bytes, "x.npz");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().where, "x.npz: x.npy");
}

// numpy.load gives a text member as bytes; numpy.savez of what was loaded writes
// it as an array of no axes.
TEST(Npz, text_that_numpy_saved_again_is_text) {
  const std::string path = scratch("again.npz"),
                    header = "{'descr': '|S5', 'fortran_order': False, 'shape': (), }\n";
  std::string member = "\x93NUMPY";
  member += {'\1', '\0', static_cast<char>(header.size()), '\0'};
  member += header + "{1:2}";
  ASSERT_TRUE(
      write_npz(path, {{"x", bytes_array({1, 2, 3})}}, {{"lockstep.json.npy", member}}).ok());
  const auto read = read_npz_file(path);
  ASSERT_TRUE(read.ok()) << read.error().line();
  ASSERT_EQ(read->members.size(), 1u);
  ASSERT_EQ(read->texts.size(), 1u);
  EXPECT_EQ(read->texts[0].first, "lockstep.json");
  EXPECT_EQ(read->texts[0].second, "{1:2}");
}

TEST(Npz, a_file_of_another_kind_is_named) {
  const std::string path = scratch("not.npz");
  ASSERT_TRUE(write_file(path, "not a zip archive").ok());
  const auto read = read_npz(path);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().where, path);
  EXPECT_FALSE(read_npz(scratch("absent.npz")).ok());
}

}  // namespace
}  // namespace lockstep
