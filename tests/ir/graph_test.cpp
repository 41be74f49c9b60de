#include "ir/graph.h"

#include <gtest/gtest.h>

#include "ir/patch.h"

namespace lockstep {
namespace {

ValueId value(GraphBuilder& b, std::string name) {
  Value v;
  v.name = std::move(name);
  v.shape = {2};
  return b.add_value(std::move(v));
}

NodeId relu(GraphBuilder& b, std::string name, ValueId in, ValueId out) {
  Node n;
  n.name = std::move(name);
  n.op = "Relu";
  n.inputs = {in};
  n.outputs = {out};
  return b.add_node(std::move(n));
}

Graph chain_given_backwards() {
  GraphBuilder b("m.onnx", "onnx");
  const ValueId x = value(b, "x"), y = value(b, "y"), z = value(b, "z");
  relu(b, "second", y, z);
  relu(b, "first", x, y);
  b.add_input(x);
  b.add_output(z);
  auto graph = std::move(b).finish();
  EXPECT_TRUE(graph.ok());
  return std::move(graph).value();
}

TEST(Graph, nodes_given_in_any_order_are_sorted_so_that_inputs_come_first) {
  const Graph g = chain_given_backwards();
  EXPECT_EQ(g.node(0).name, "first");
  EXPECT_EQ(g.value(g.find_value("z")).producer, 1);
}

TEST(Graph, a_cycle_is_refused_by_name) {
  GraphBuilder b("m.onnx", "onnx");
  const ValueId x = value(b, "x"), y = value(b, "y");
  relu(b, "a", x, y);
  relu(b, "b", y, x);
  b.add_output(y);
  const auto g = std::move(b).finish();
  ASSERT_FALSE(g.ok());
  EXPECT_NE(g.error().where.find("'a'"), std::string::npos);
}

TEST(Graph, scales_that_do_not_fit_their_axis_are_refused) {
  GraphBuilder b("m.onnx", "onnx");
  const ValueId x = value(b, "x");
  b.value(x).quant = {{0.1, 0.2, 0.3}, {0, 0, 0}, 0};
  b.add_input(x);
  b.add_output(x);
  const auto g = std::move(b).finish();
  ASSERT_FALSE(g.ok());
  EXPECT_NE(g.error().what.find("3 scales"), std::string::npos);
}

TEST(Patch, removing_a_node_and_shunting_its_users_drops_its_value) {
  const Graph g = chain_given_backwards();
  Patch p(g, "drop-first");
  p.remove_node(g.find_node("first"));
  p.replace_uses(g.find_value("y"), g.find_value("x"));
  const auto edited = p.apply();
  ASSERT_TRUE(edited.ok()) << edited.error().line();
  EXPECT_EQ(edited->nodes().size(), 1u);
  EXPECT_EQ(edited->find_value("y"), no_id);
}

TEST(Patch, an_edit_that_breaks_the_graph_names_its_label) {
  const Graph g = chain_given_backwards();
  Patch p(g, "drop-first");
  p.remove_node(g.find_node("first"));
  const auto edited = p.apply();
  ASSERT_FALSE(edited.ok());
  EXPECT_NE(edited.error().hint.find("drop-first"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
