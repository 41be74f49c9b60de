#include "npu/map.h"

#include <gtest/gtest.h>

#include "npu/layout.h"
#include "npu/map_nodes.h"
#include "npu/small_program.h"

namespace lockstep {
namespace {

NpuBuffer codes(std::string name, int epoch, std::int64_t start) {
  NpuBuffer b;
  b.name = std::move(name), b.epoch = epoch, b.base = test::ram, b.start = start,
  b.end = start + 64;
  b.shape = b.mem_shape = {1, 4, 4, 4};
  b.chpos = "CHPos_Last", b.type = "DataType_INT8", b.batch = 4;
  b.scale = {0.5}, b.zero = {3};
  return b;
}

NpuEpoch moves(int number, const std::string& from, const std::string& to, NpuKind through) {
  NpuEpoch e;
  e.number = number;
  const NpuUnitId in{NpuKind::stream, 0}, out{NpuKind::stream, 1}, unit{through, 0};
  e.units.push_back({in, "in", from, test::fields({{"dir", 0}})});
  e.units.push_back({out, "out", to, test::fields({{"dir", 1}})});
  e.units.push_back({unit, "unit", "", {}});
  e.links = {test::link(in, unit), test::link(unit, out)};
  return e;
}

// x -> MaxPool p -> MaxPool q -> MaxPool r: one scale, one shape.
Graph pools() {
  GraphBuilder b("pools", "tflite");
  const auto value = [&](const std::string& name) {
    Value v;
    v.name = name, v.shape = {1, 4, 4, 4}, v.dtype = DType::i8;
    v.quant.scale = {0.5}, v.quant.zero = {3};
    return b.add_value(v);
  };
  ValueId last = value("x");
  b.add_input(last);
  for (const char* name : {"p", "q", "r"}) {
    Node node;
    node.name = std::string("pool_") + name, node.op = "MaxPool", node.inputs = {last};
    node.attrs.set("kernel_shape", std::vector<std::int64_t>{3, 3});
    node.attrs.set("pads", std::vector<std::int64_t>{1, 1, 1, 1});
    node.attrs.set("layout", std::string("NHWC"));
    last = value(name);
    node.outputs = {last};
    b.add_node(node);
  }
  b.add_output(last);
  auto g = std::move(b).finish();
  EXPECT_TRUE(g.ok()) << (g.ok() ? "" : g.error().line());
  return std::move(g).value();
}

std::string value_of(const NpuMapping& m, std::string_view buffer) {
  const NpuPair* p = m.find(buffer);
  return p ? p->value : "nothing";
}

TEST(NpuMap, nodes_of_one_scale_and_shape_take_one_tensor_each) {
  NpuProgram p;
  p.buffers = {codes("Quantize_1_out_0", 0, 0), codes("MaxPool_2_decomposed_1_out_5", 1, 64),
               codes("MaxPool_3_decomposed_1_out_6", 2, 128),
               codes("MaxPool_4_decomposed_1_out_7", 3, 192)};
  // Every pool's epoch reads x only: the buffer between was padded on the way and holds no codes.
  p.epochs = {moves(1, "Quantize_1_out_0", "MaxPool_2_decomposed_1_out_5", NpuKind::pool),
              moves(2, "Quantize_1_out_0", "MaxPool_3_decomposed_1_out_6", NpuKind::pool),
              moves(3, "Quantize_1_out_0", "MaxPool_4_decomposed_1_out_7", NpuKind::pool)};
  const NpuMapping m = map_npu_buffers(p, pools());
  EXPECT_EQ(value_of(m, "MaxPool_2_decomposed_1_out_5"), "p");
  EXPECT_EQ(value_of(m, "MaxPool_3_decomposed_1_out_6"), "q");
  EXPECT_EQ(value_of(m, "MaxPool_4_decomposed_1_out_7"), "r");
}

TEST(NpuMap, copies_hold_what_they_are_copies_of) {
  NpuProgram p;
  p.buffers = {codes("Quantize_1_out_0", 0, 0), codes("MaxPool_2_out_0", 1, 64),
               codes("MaxPool_2_out_0_inserted_out9", 2, 128),
               codes("Conv2D_9_zero_off_out_11", 3, 192)};
  p.buffers[3].zero = {0}, p.buffers[3].type = "DataType_UINT8";
  p.epochs = {
      moves(1, "Quantize_1_out_0", "MaxPool_2_out_0", NpuKind::pool),
      moves(2, "MaxPool_2_out_0", "MaxPool_2_out_0_inserted_out9", NpuKind::arith),
      moves(3, "MaxPool_2_out_0_inserted_out9", "Conv2D_9_zero_off_out_11", NpuKind::arith)};
  const NpuMapping m = map_npu_buffers(p, pools());
  EXPECT_EQ(value_of(m, "MaxPool_2_out_0"), "p");
  EXPECT_EQ(value_of(m, "MaxPool_2_out_0_inserted_out9"), "p");
  EXPECT_EQ(value_of(m, "Conv2D_9_zero_off_out_11"), "p");
}

TEST(NpuMap, an_epochs_nodes_follow_from_the_tensors_that_it_makes) {
  NpuProgram p;
  p.buffers = {codes("Input_0_out_0", 0, 0), codes("MaxPool_1_out_0", 1, 64),
               codes("MaxPool_2_out_0", 2, 128), codes("MaxPool_2_out_0_cp_in_1", 3, 192)};
  p.epochs = {moves(1, "Input_0_out_0", "MaxPool_1_out_0", NpuKind::pool),
              moves(2, "MaxPool_1_out_0", "MaxPool_2_out_0", NpuKind::pool),
              moves(3, "MaxPool_2_out_0", "MaxPool_2_out_0_cp_in_1", NpuKind::arith)};
  const Graph g = pools();
  const NpuMapping m = map_npu_buffers(p, g);
  EXPECT_EQ(npu_nodes_of(p, 1, m, g), std::vector<std::string>{"pool_p"});
  EXPECT_EQ(npu_nodes_of(p, 2, m, g), std::vector<std::string>{"pool_q"});
  EXPECT_TRUE(npu_nodes_of(p, 3, m, g).empty());  // a copy
}

TEST(NpuLayout, blocks_are_as_wide_as_batch_says) {
  NpuBuffer b = codes("Mul_61_out_0_cp_in_181", 1, 0);
  b.chpos = "CHPos_Mixed", b.mem_shape = {1, 1, 2, 2, 16}, b.shape = {1, 2, 2, 16}, b.batch = 8;
  const auto order = memory_order(b);
  ASSERT_EQ(order.size(), 64u);
  EXPECT_EQ(order[0], 0);          // channel 0, first pixel
  EXPECT_EQ(order[1], 8);          // its second pixel: behind a block of 8
  EXPECT_EQ(order[4 * 8], 4 * 8);  // channel 8 begins the second block
  b.batch = 0;
  EXPECT_EQ(memory_order(b)[1], 16);
}

}  // namespace
}  // namespace lockstep
