#include "support/nets.h"
#include "target/target.h"

namespace lockstep {
namespace {

TEST(ModelTarget, takes_files_by_their_ending_and_leaves_faults_alone) {
  for (const TargetDef* def : target_table()) {
    if (def->name != "model") continue;
    EXPECT_TRUE(def->matches("a/b.onnx"));
    EXPECT_TRUE(def->matches("b.tflite"));
    EXPECT_FALSE(def->matches("sim:clamp-lost@b.onnx"));
    EXPECT_FALSE(def->matches("b.npz"));
  }
}

TEST(ModelTarget, an_absent_file_is_an_error_that_names_it) {
  const Graph g = test::relu_chain(1);
  const auto device = open_target("absent.onnx", {g, *find_arithmetic("float"), StateMode::reset});
  ASSERT_FALSE(device.ok());
  EXPECT_NE(device.error().line().find("absent.onnx"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
