#include "target/target_names.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

const std::string stem =
    "/tcn/tcn_block_0/network/network.0/TCM_net/TCM_net.2/Relu_outpu";  // 63 characters

Value named(const std::string& name) {
  Value v;
  v.name = name;
  v.shape = {1, 8};
  return v;
}

// A chain of Relus whose results have these names.
Graph chain(const std::vector<std::string>& names) {
  GraphBuilder g("m.onnx", "onnx");
  ValueId last = g.add_value(named("x"));
  g.add_input(last);
  for (const std::string& name : names) {
    Node node;
    node.name = "of " + name;
    node.op = "Relu";
    node.inputs = {last};
    node.outputs = {last = g.add_value(named(name))};
    g.add_node(node);
  }
  g.add_output(last);
  return std::move(std::move(g).finish()).value();
}

DeviceTensor sent(const std::string& name, DType dtype = DType::f32) {
  DeviceTensor t;
  t.name = name;
  t.dtype = dtype;
  t.shape = {1, 8};
  t.elements = 8;
  return t;
}

std::vector<std::string> whole(const std::vector<DeviceTensor>& tensors, const Graph& g) {
  std::vector<const DeviceTensor*> pointers;
  for (const DeviceTensor& t : tensors) pointers.push_back(&t);
  return whole_names(pointers, g, *find_arithmetic("float"));
}

using Names = std::vector<std::string>;

TEST(WholeNames, that_begin_alike_are_told_apart_by_order) {
  const Graph g = chain({stem + "t_0", "short", stem + "t_1"});
  EXPECT_EQ(whole({sent(stem), sent("short"), sent(stem)}, g),
            (Names{stem + "t_0", "short", stem + "t_1"}));
}

TEST(WholeNames, stay_cut_where_the_device_holds_fewer_than_the_model) {
  const Graph g = chain({stem + "t_0", stem + "t_1"});
  EXPECT_EQ(whole({sent(stem)}, g), Names{stem});
}

TEST(WholeNames, stay_cut_where_no_tensor_of_that_type_begins_so) {
  const Graph g = chain({stem + "t_0"});
  EXPECT_EQ(whole({sent(stem, DType::i8)}, g), Names{stem});
}

TEST(WholeNames, of_exactly_63_characters_are_their_own) {
  const Graph g = chain({stem});
  EXPECT_EQ(whole({sent(stem)}, g), Names{stem});
}

}  // namespace
}  // namespace lockstep
