#include "base/files.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

namespace lockstep {
namespace {

std::string fresh_folder() {
  const auto path =
      std::filesystem::temp_directory_path() / ("lockstep_files_" + std::to_string(::getpid()));
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

TEST(Files, what_is_written_is_read_back_and_no_temporary_stays) {
  const std::string folder = fresh_folder();
  ASSERT_TRUE(write_file(folder + "/a", std::string_view("hello")).ok());
  const auto bytes = read_file(folder + "/a");
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(bytes->size(), 5u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST(Files, an_absent_file_a_folder_and_a_too_large_file_are_errors) {
  const std::string folder = fresh_folder();
  EXPECT_FALSE(read_file(folder + "/none").ok());
  EXPECT_EQ(read_file(folder).error().what, "is a folder");
  ASSERT_TRUE(write_file(folder + "/b", std::string_view("12345")).ok());
  EXPECT_EQ(read_file(folder + "/b", 4).error().want, "at most 4 bytes");
}

TEST(Files, a_place_that_cannot_be_written_leaves_nothing_behind) {
  EXPECT_FALSE(write_file("/nonexistent_folder/x", std::string_view("1")).ok());
}

}  // namespace
}  // namespace lockstep
