#include "report/fold.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

// x (float) -> q0 -> x codes -> d0 -> add -> sum (float) -> q1 -> sum codes -> d1 -> y (float)
class Folding : public testing::Test {
 protected:
  Folding() {
    GraphBuilder g("m.onnx", "onnx");
    const char* names[] = {"x", "x_codes", "x_real", "sum", "sum_codes", "y"};
    const char* ops[] = {"QuantizeLinear", "DequantizeLinear", "Add", "QuantizeLinear",
                         "DequantizeLinear"};
    ValueId ids[6];
    for (int i = 0; i < 6; ++i) {
      Value v;
      v.name = names[i];
      v.shape = {1};
      ids[i] = g.add_value(v);
    }
    for (int i = 0; i < 5; ++i) {
      Node n;
      n.name = std::string("n") + static_cast<char>('0' + i);
      n.op = ops[i];
      n.inputs = {ids[i]};
      n.outputs = {ids[i + 1]};
      g.add_node(n);
    }
    g.add_input(ids[0]);
    g.add_output(ids[5]);
    graph = std::move(std::move(g).finish()).value();
  }

  Row row(const char* tensor) const {
    Row r;
    r.value = graph.find_value(tensor);
    r.node = graph.value(r.value).producer;
    r.tensor = tensor;
    r.op = r.node == no_id ? "input" : graph.node(r.node).op;
    r.name = r.node == no_id ? tensor : graph.node(r.node).name;
    r.state = Judgement::exact;
    r.segment = {r.node};
    return r;
  }

  Graph graph;
  Comparison comparison;
};

TEST_F(Folding, quantizers_and_dequantizers_stand_with_their_operation) {
  for (const char* t : {"x", "x_codes", "x_real", "sum", "sum_codes", "y"})
    comparison.rows.push_back(row(t));
  const auto lines = fold_rows(comparison, graph);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].row, 0u);
  EXPECT_EQ(lines[0].codes, 1u);
  EXPECT_EQ(lines[1].row, 3u);
  EXPECT_EQ(lines[1].codes, 4u);
}

TEST_F(Folding, a_wrong_quantizer_keeps_its_line) {
  for (const char* t : {"x", "x_codes", "x_real"}) comparison.rows.push_back(row(t));
  comparison.rows[1].state = Judgement::wrong;
  const auto lines = fold_rows(comparison, graph);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].row, 1u);
}

TEST_F(Folding, codes_alone_speak_for_the_operation_that_was_not_captured) {
  Row codes = row("sum_codes");
  codes.segment = {graph.find_node("n2"), graph.find_node("n3")};
  comparison.rows = {codes};
  EXPECT_EQ(fold_rows(comparison, graph).size(), 1u);
  EXPECT_EQ(operation_of(codes, graph), graph.find_node("n2"));
  EXPECT_EQ(operations_in(codes, graph), 1u);
  EXPECT_EQ(operation_of(row("sum_codes"), graph), graph.find_node("n3"));
}

TEST_F(Folding, a_dequantized_output_alone_speaks_for_the_operation_before_its_codes) {
  Row out = row("y");
  out.segment = {graph.find_node("n2"), graph.find_node("n3"), graph.find_node("n4")};
  EXPECT_EQ(operation_of(out, graph), graph.find_node("n2"));
}

}  // namespace
}  // namespace lockstep
