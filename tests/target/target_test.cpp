#include "target/target.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "support/nets.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

std::string refusal(const std::string& uri) {
  const Graph g = test::relu_chain();
  const auto opened = open_target(uri, {g, *find_arithmetic("float")});
  return opened.ok() ? "" : opened.error().line();
}

TEST(NoTarget, a_path_that_is_not_there_is_said_in_so_many_words) {
  for (const char* const path : {"captured", "no/such/folder", "dump.elf"}) {
    const std::string said = refusal(path);
    EXPECT_NE(said.find("no such file or folder"), said.npos) << said;
    EXPECT_LT(said.size(), 300u) << said;
  }
}

TEST(NoTarget, a_file_of_another_form_is_told_which_are_read) {
  const test::TemporaryFolder scratch;
  ASSERT_TRUE(write_file(scratch / "dump.xlsx", "x").ok());
  EXPECT_NE(refusal(scratch / "dump.xlsx").find(".npz, .npy, .csv"), std::string::npos)
      << refusal(scratch / "dump.xlsx");
}

TEST(NoTarget, a_misspelt_word_gets_the_nearest_one) {
  EXPECT_NE(refusal("tflte").find("did you mean 'tflite'?"), std::string::npos) << refusal("tflte");
  EXPECT_NE(refusal("seriel:/dev/ttyACM0").find("did you mean 'serial:'?"), std::string::npos)
      << refusal("seriel:/dev/ttyACM0");
}

}  // namespace
}  // namespace lockstep
