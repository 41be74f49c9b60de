#include <gtest/gtest.h>

#include "support/nets.h"
#include "support/temporary.h"
#include "target/target.h"

namespace lockstep {
namespace {

TEST(QemuTarget, a_folder_without_manifest_is_named) {
  const Graph g = test::relu_chain();
  const test::TemporaryFolder folder;
  const auto target = open_target("qemu:" + (folder / "nothing"), {g, *find_arithmetic("float")});
  ASSERT_FALSE(target.ok());
  EXPECT_NE(target.error().line().find("nothing"), std::string::npos) << target.error().line();
}

}  // namespace
}  // namespace lockstep
