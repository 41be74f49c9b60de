#include "pass/stated_quants.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

constexpr std::string_view beside = R"({"version": "4.0", "tensors": {
  "w": {"format": {"params": [[0.25, 0.5], [0, 0]], "class": "integer", "type": "S8"}},
  "bias": {"format": {"params": [[0.01, 0.02], [0, 0]], "class": "integer", "type": "S32"}},
  "conv": {"format": {"params": [[0.125], [-128]], "class": "integer", "type": "S8"}},
  "relu": {"format": {"params": [[0.125], [-128]], "class": "integer", "type": "S8"}},
  "soft": {"format": {"params": [[], []], "class": "float", "type": "F32"}}}})";

// x -> Conv(w) -> Relu -> Relu, as the compiler's optimized graph holds it: reals only.
struct Optimized {
  GraphBuilder builder;
  explicit Optimized(const std::string& file, float first = 1.0f) : builder(file, "onnx") {
    const ValueId x = add("x", {1, 1, 1, 1});
    builder.add_input(x);
    Value w;
    w.name = "w", w.shape = {2, 1, 1, 1};
    w.constant = std::make_shared<const Tensor>(
        Tensor::of<float>({2, 1, 1, 1}, std::vector<float>{first, -1.0f}));
    const ValueId conv = add("conv", {1, 2, 1, 1}), relu = add("relu", {1, 2, 1, 1}),
                  y = add("y", {1, 2, 1, 1});
    node("Conv", "c", {x, builder.add_value(std::move(w))}, conv);
    node("Relu", "r", {conv}, relu);
    node("Relu", "last", {relu}, y);
    builder.add_output(y);
  }
  ValueId add(const std::string& name, Shape shape) {
    Value v;
    v.name = name, v.shape = std::move(shape);
    return builder.add_value(std::move(v));
  }
  void node(const std::string& op, const std::string& name, std::vector<ValueId> inputs,
            ValueId output) {
    Node n;
    n.op = op, n.name = name, n.inputs = std::move(inputs), n.outputs = {output};
    builder.add_node(std::move(n));
  }
  Result<Graph> stated() {
    LOCKSTEP_TRY(Graph g, std::move(builder).finish());
    return as_stated(std::move(g));
  }
};

const Node* maker(const Graph& g, const Node& n, std::size_t slot) {
  const NodeId id = g.value(n.inputs[slot]).producer;
  return id == no_id ? nullptr : &g.node(id);
}

TEST(StatedQuants, weights_become_codes_and_results_get_their_quantizers) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(write_file(folder / "n_Q.json", beside).ok());
  const auto g = Optimized(folder / "n.onnx").stated();
  ASSERT_TRUE(g.ok()) << g.error().line();
  const Node& conv = g->node(g->find_node("c"));
  const Node* w = maker(*g, conv, 1);
  ASSERT_NE(w, nullptr);
  ASSERT_EQ(w->op, "DequantizeLinear");
  const Tensor& codes = *g->value(w->inputs[0]).constant;
  EXPECT_EQ(codes.code(0), 4);   // 1.0 / 0.25
  EXPECT_EQ(codes.code(1), -2);  // -1.0 / 0.5
  const Node *dq = maker(*g, g->node(g->find_node("r")), 0),
             *second = maker(*g, g->node(g->find_node("last")), 0);
  ASSERT_TRUE(dq && second);
  EXPECT_EQ(dq->op, "DequantizeLinear");
  EXPECT_EQ(maker(*g, *dq, 0)->op, "QuantizeLinear");
  EXPECT_EQ(second->op, "DequantizeLinear");
  EXPECT_EQ(maker(*g, conv, 0), nullptr);  // nothing is stated for x
}

TEST(StatedQuants, weights_between_two_steps_stay_reals) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(write_file(folder / "n_Q.json", beside).ok());
  const auto g = Optimized(folder / "n.onnx", 1.1f).stated();
  ASSERT_TRUE(g.ok());
  EXPECT_EQ(maker(*g, g->node(g->find_node("c")), 1), nullptr);
}

TEST(StatedQuants, a_model_with_no_such_file_beside_it_is_left_as_it_is) {
  const test::TemporaryFolder folder;
  const auto g = Optimized(folder / "n.onnx").stated();
  ASSERT_TRUE(g.ok());
  EXPECT_EQ(g->nodes().size(), 3u);
}

TEST(StatedQuants, a_damaged_file_is_named) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(write_file(folder / "n_Q.json", "{\"tensors\": 3").ok());
  const auto g = Optimized(folder / "n.onnx").stated();
  ASSERT_FALSE(g.ok());
  EXPECT_NE(g.error().line().find("n_Q.json"), std::string::npos);
  EXPECT_TRUE(
      stated_quants(R"({"tensors": {"a": 1, "b": {"format": {"type": "S8", "params": [[-1]]}}}})",
                    "f")
          ->empty());
}

}  // namespace
}  // namespace lockstep
