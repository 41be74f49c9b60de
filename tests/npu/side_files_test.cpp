#include "npu/side_files.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace lockstep {
namespace {

constexpr const char* c_info = R"({
 "memory_pools": [
  {"id": 3, "name": "npuRAM6", "address": "876937216", "size_bytes": 458752, "rights": "ACC_WRITE", "subpools": []},
  {"id": 4, "name": "xSPI2", "address": "0x70180000", "size_bytes": 1048576, "rights": "ACC_READ", "subpools": []},
  {"id": 5, "name": "joined", "address": "876937216", "size_bytes": 458752, "rights": "ACC_WRITE", "subpools": [3]}],
 "buffers": [
  {"id": 0, "name": "x", "mpool_id": 3, "offset_start": 64, "size_bytes": 24, "nbits": 8, "format": "UINT8", "shape": [1, 3, 4, 2], "batch": 2,
   "channel_last": true, "is_param": false, "epochs": {"start": 0, "end": 1}, "intq": {"scales": [0.5], "offsets": [3], "axis": 0}}],
 "graphs": [{"nodes": [
  {"id": 7, "name": "epoch_1", "mapping": "NODE_HW", "original_nodes": ["conv1"], "subgraph_nodes": [{"name": "Conv_1", "description": "Node kind=Conv"}], "power_estimates": {"compute_cycles": 123}},
  {"id": 8, "name": "epoch_2", "mapping": "NODE_SW", "sw_functions": ["Softmax"]}]}],
 "memory_accesses": [{"node_id": 7, "mpool_id": 3, "reads": 24, "writes": 36}, {"node_id": 7, "mpool_id": 4, "reads": 6, "writes": 0}]
})";

TEST(NpuSideFiles, c_info_gives_pools_buffers_and_epochs) {
  NpuSideFiles side;
  const auto done = read_c_info(c_info, "n_c_info.json", side);
  ASSERT_TRUE(done.ok()) << done.error().line();
  ASSERT_EQ(side.pools.size(), 2u);  // a joined pool is its parts
  EXPECT_EQ(side.pools[0].base, 876937216u);
  EXPECT_TRUE(side.pools[1].read_only);
  ASSERT_EQ(side.buffers.size(), 1u);
  EXPECT_EQ(side.buffers[0].address(), 876937216u + 64);
  EXPECT_EQ(side.buffers[0].chpos, "CHPos_Last");
  EXPECT_EQ(side.buffers[0].zero[0], 3);
  ASSERT_EQ(side.epochs.size(), 2u);
  EXPECT_EQ(side.epochs[0].cycles, 123);
  EXPECT_EQ(side.epochs[0].read_bytes, 30);
  EXPECT_EQ(side.epochs[0].operations[0], "Conv");
  EXPECT_EQ(side.find_epoch(2)->mapping, "SW");
}

TEST(NpuSideFiles, q_json_gives_original_names_and_scales) {
  NpuSideFiles side;
  ASSERT_TRUE(
      read_q_json(
          R"({"version": 4.0, "tensors": {"t": {"format": {"type": "S8", "params": [[0.25], [-3]]}}}, "nodes": {"Conv2D_7": {"names": ["model/conv"]}}})",
          "Q.json", side)
          .ok());
  EXPECT_EQ(side.quants.at("t").scale[0], 0.25);
  EXPECT_EQ(side.quants.at("t").zero[0], -3);
  EXPECT_EQ(side.originals.at("Conv2D_7")[0], "model/conv");
}

TEST(NpuSideFiles, pool_descriptions_have_units) {
  NpuSideFiles side;
  const auto done = read_mpool(
      R"({"memory": {"mempools": [{"name": "npuRAM3", "rights": "ACC_WRITE", "offset": {"value": "0x34200000", "magnitude": "BYTES"}, "size": {"value": "448", "magnitude": "KBYTES"}}]}})",
      "a.mpool", side);
  ASSERT_TRUE(done.ok()) << done.error().line();
  EXPECT_EQ(side.pools[0].base, 0x34200000u);
  EXPECT_EQ(side.pools[0].size, 448u * 1024);
  EXPECT_FALSE(side.pools[0].read_only);
}

TEST(NpuSideFiles, the_text_report_lists_epochs) {
  NpuSideFiles side;
  const auto done = read_generate_report(
      "ST Edge AI Core v3.0.0-20426\n  epoch ID   HW/SW/EC Operation (SW only)\n  epoch 1    HW\n  "
      "epoch 2   -SW-    (      Softmax       )\n  epoch 3    EC\n",
      "r.txt", side);
  ASSERT_TRUE(done.ok()) << done.error().line();
  ASSERT_EQ(side.epochs.size(), 3u);
  EXPECT_EQ(side.epochs[1].mapping, "SW");
  EXPECT_EQ(side.epochs[1].operations[0], "Softmax");
  EXPECT_EQ(side.compiler, "ST Edge AI Core v3.0.0-20426");
}

TEST(NpuSideFiles, what_is_no_such_file_is_named) {
  NpuSideFiles side;
  EXPECT_FALSE(read_c_info("{}", "a", side).ok());
  EXPECT_FALSE(read_c_info("{", "a", side).ok());
  EXPECT_FALSE(read_q_json("[]", "a", side).ok());
  EXPECT_FALSE(read_mpool("{}", "a", side).ok());
  EXPECT_FALSE(read_generate_report("hello\n", "a", side).ok());
  EXPECT_FALSE(read_c_info(R"({"memory_pools": [{"name": "x", "address": "-1", "size_bytes": 5}]})",
                           "a", side)
                   .ok());
  EXPECT_FALSE(
      read_c_info(
          R"({"memory_pools": [], "buffers": [{"name": "x", "shape": [99999999, 99999999]}]})", "a",
          side)
          .ok());
}

TEST(NpuSideFiles, damaged_text_never_crashes) {
  const std::string text = c_info;
  Random random(9);
  int refused = 0;
  for (int round = 0; round < 500; ++round) {
    std::string bad = text;
    for (int k = 0; k < 3; ++k)
      bad[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(bad.size()) - 1))] =
          static_cast<char>(random.between(0, 127));
    NpuSideFiles side;
    refused += !read_c_info(bad, "a", side).ok();
  }
  EXPECT_GT(refused, 100);
}

// The second output of a split took the name of the first, so that half of it was held against the
// other half.
TEST(NpuSideFiles, each_output_of_a_split_gets_its_own_name) {
  GraphBuilder b("m", "onnx");
  const auto value = [&](const char* name, Shape shape) {
    Value v;
    v.name = name, v.dtype = DType::i8, v.shape = std::move(shape), v.quant = {{0.5}, {0}, -1};
    return b.add_value(std::move(v));
  };
  const ValueId x = value("x", {1, 4, 1, 1}), left = value("left", {1, 2, 1, 1}),
                right = value("right", {1, 2, 1, 1});
  b.add_input(x);
  Node split;
  split.op = "Split", split.name = "split", split.inputs = {x}, split.outputs = {left, right};
  split.attrs.set("axis", std::int64_t{1});
  b.add_node(std::move(split));
  b.add_output(left), b.add_output(right);
  const auto g = std::move(b).finish();
  ASSERT_TRUE(g.ok()) << g.error().line();
  NpuSideFiles side;
  side.originals["Split_3"] = {"split"};
  NpuProgram program;
  for (const char* name : {"Split_3_out_0", "Split_3_out_1", "Split_3_out_7"}) {
    program.buffers.emplace_back();
    program.buffers.back().name = name;
  }
  const NpuNames names = names_from(side, program, *g);
  EXPECT_EQ(names.find("Split_3_out_0")->second, "left");
  EXPECT_EQ(names.find("Split_3_out_1")->second, "right");
  EXPECT_EQ(names.find("Split_3_out_7"), names.end());
}

}  // namespace
}  // namespace lockstep
