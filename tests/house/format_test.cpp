#include <gtest/gtest.h>

#include <cstdlib>

#include "support/folders.h"
#include "support/programs.h"

namespace lockstep {
namespace {

TEST(House, every_file_is_as_clang_format_leaves_it) {
  LOCKSTEP_NEEDS_PROGRAMS("clang-format");
  EXPECT_EQ(
      std::system((test::source_folder() + "/scripts/format --check > /dev/null 2>&1").c_str()), 0)
      << "run make fmt";
}

}  // namespace
}  // namespace lockstep
