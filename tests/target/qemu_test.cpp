#include <gtest/gtest.h>

#include "support/generated_network.h"
#include "support/nets.h"
#include "support/programs.h"
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

// A Relu of so many floats.
Graph wide_relu(std::int64_t count) {
  GraphBuilder b("wide", "onnx");
  Value v;
  v.shape = {1, count};
  Node node;
  node.op = node.name = "Relu";
  v.name = "x", node.inputs = {b.add_value(v)};
  v.name = "y", node.outputs = {b.add_value(v)};
  b.add_input(node.inputs[0]), b.add_output(node.outputs[0]);
  b.add_node(node);
  auto graph = std::move(b).finish();
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
  return std::move(graph).value();
}

// 4 MB of SRAM; such networks were refused.
TEST(QemuTarget, a_network_of_6_MB_runs_in_the_board_s_ddr) {
  LOCKSTEP_NEEDS_THE_BOARD();
  auto executor = Executor::make(wide_relu(1'500'000), *find_arithmetic("float"));
  ASSERT_TRUE(executor.ok()) << executor.error().line();
  auto generated = generate(*executor, {});
  ASSERT_TRUE(generated.ok()) << generated.error().line();
  const test::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "net");
  for (const GeneratedFile& f : generated->files)
    ASSERT_TRUE(write_file(folder / "net/" + f.path, f.text).ok());
  const Graph model = wide_relu(1'500'000);
  auto target = open_target("qemu:" + (folder / "net"), {model, *find_arithmetic("float")});
  ASSERT_TRUE(target.ok()) << target.error().line();
  const auto inputs = generated_inputs(executor->graph(), 1, 3);
  const auto device = (*target)->run(inputs, {});
  ASSERT_TRUE(device.ok()) << device.error().line();
  const auto reference = executor->run(inputs);
  ASSERT_TRUE(reference.ok());
  const test::Compared c = test::compare(*reference, *device);
  EXPECT_GE(c.tensors, 1);
  EXPECT_EQ(c.different, 0) << c.first;
}

}  // namespace
}  // namespace lockstep
