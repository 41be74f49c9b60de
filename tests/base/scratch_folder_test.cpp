#include "base/scratch_folder.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"

namespace lockstep {
namespace {

TEST(ScratchFolder, is_gone_with_its_files_when_its_holder_is) {
  std::string path;
  {
    auto made = ScratchFolder::make();
    ASSERT_TRUE(made.ok()) << made.error().line();
    const ScratchFolder holder = std::move(*made);
    path = holder.path();
    ASSERT_TRUE(write_file(holder / "x.txt", std::string("1")).ok());
    EXPECT_TRUE(std::filesystem::exists(path + "/x.txt"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace lockstep
