#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "flatbuffers/tflite_generated.h"
#include "import/import.h"

namespace lockstep {
namespace {

namespace fb = flatbuffers;
using Ints = std::vector<std::int32_t>;
using T = tfl::TensorType;
using Tensors = std::vector<fb::Offset<tfl::Tensor>>;
using Nodes = std::vector<fb::Offset<tfl::Operator>>;

// WHILE (count < bound) or, where `by_data`, (x < bound): count + 1, x + step. Tensors of each
// subgraph: 0 count, 1 x, and its own.
struct Loop {
  bool by_data = false;
  std::int32_t bound = 3;
  bool in_composite = false;  // the loop stands in the decomposition of a composite
  int around = 0;  // loops around it, each of `bound` steps; then no step leaves an operator

  Result<Graph> graph() {
    std::vector<fb::Offset<tfl::SubGraph>> graphs = {{}, condition(), body()};
    for (int k = 0; k < around; ++k) graphs.push_back(body_around(2 + k));
    const std::int32_t outermost = 2 + around;
    if (in_composite) graphs.push_back(whole(calls(outermost)));
    graphs[0] = whole(in_composite ? composite(outermost + 1) : calls(outermost));
    return import(graphs);
  }

  fb::FlatBufferBuilder b{};
  Ints none{}, both{0, 1};

  fb::Offset<tfl::Tensor> tensor(const char* name, T type, std::uint32_t buffer = 0) {
    return tfl::CreateTensorDirect(b, &none, type, buffer, name);
  }
  fb::Offset<tfl::Operator> node(std::uint32_t code, Ints in, Ints out) {
    return tfl::CreateOperatorDirect(b, code, &in, &out);
  }
  fb::Offset<tfl::Operator> calls(std::int32_t loop_body, Ints from = {0, 1}, Ints to = {2, 3}) {
    const auto options = tfl::CreateWhileOptions(b, 1, loop_body);
    return tfl::CreateOperatorDirect(b, 0, &from, &to, tfl::BuiltinOptions::WhileOptions,
                                     options.Union());
  }
  fb::Offset<tfl::Operator> composite(std::int32_t index) {
    const auto options = tfl::CreateStableHLOCompositeOptionsDirect(b, "mine.loop", index);
    const Ints from{1}, to{3};
    return tfl::CreateOperatorDirect(
        b, 3, &from, &to, tfl::BuiltinOptions::NONE, {}, nullptr, 0, nullptr, nullptr, 0, 0,
        tfl::BuiltinOptions2::StableHLOCompositeOptions, options.Union());
  }
  fb::Offset<tfl::SubGraph> condition() {
    const Tensors inside = {tensor("count", T::INT32), tensor("x", T::FLOAT32),
                            tensor("bound", T::INT32, 1), tensor("real_bound", T::FLOAT32, 2),
                            tensor("goes", T::BOOL)};
    const Nodes asks = {node(1, by_data ? Ints{1, 3} : Ints{0, 2}, {4})};
    const Ints goes{4};
    return tfl::CreateSubGraphDirect(b, &inside, &both, &goes, &asks);
  }
  // Where loops stand around it, x is handed on as it is: no step leaves a node.
  fb::Offset<tfl::SubGraph> body() {
    const Tensors made = {tensor("count", T::INT32),  tensor("x", T::FLOAT32),
                          tensor("one", T::INT32, 3), tensor("step", T::FLOAT32, 2),
                          tensor("next", T::INT32),   tensor("sum", T::FLOAT32)};
    const Nodes adds = {node(2, {0, 2}, {4}), node(2, {1, 3}, {5})};
    const Ints after = around ? Ints{4, 1} : Ints{4, 5};
    const Nodes counts = {node(2, {0, 2}, {4})};
    return tfl::CreateSubGraphDirect(b, &made, &both, &after, around ? &counts : &adds);
  }
  fb::Offset<tfl::SubGraph> body_around(std::int32_t inner) {
    const Tensors made = {tensor("count", T::INT32),  tensor("x", T::FLOAT32),
                          tensor("one", T::INT32, 3), tensor("start", T::INT32, 4),
                          tensor("next", T::INT32),   tensor("last", T::INT32),
                          tensor("sum", T::FLOAT32)};
    const Nodes runs = {calls(inner, {3, 1}, {5, 6}), node(2, {0, 2}, {4})};
    const Ints after{4, 6};
    return tfl::CreateSubGraphDirect(b, &made, &both, &after, &runs);
  }
  fb::Offset<tfl::SubGraph> whole(fb::Offset<tfl::Operator> runs) {
    const Tensors outside = {tensor("start", T::INT32, 4), tensor("in", T::FLOAT32),
                             tensor("last", T::INT32), tensor("out", T::FLOAT32)};
    const Ints fed{1}, result{3};
    const Nodes nodes = {runs};
    return tfl::CreateSubGraphDirect(b, &outside, &fed, &result, &nodes);
  }
  Result<Graph> import(const std::vector<fb::Offset<tfl::SubGraph>>& graphs) {
    const auto code = [&](tfl::BuiltinOperator c) {
      return tfl::CreateOperatorCodeDirect(
          b, static_cast<std::int8_t>(std::min(static_cast<int>(c), 127)), nullptr, 1, c);
    };
    using Code = tfl::BuiltinOperator;
    const std::vector<fb::Offset<tfl::OperatorCode>> codes = {
        code(Code::WHILE), code(Code::LESS), code(Code::ADD), code(Code::STABLEHLO_COMPOSITE)};
    const std::vector<std::uint8_t> limit{static_cast<std::uint8_t>(bound),
                                          static_cast<std::uint8_t>(bound >> 8), 0, 0},
        half{0, 0, 0, 0x3f}, one{1, 0, 0, 0}, zero{0, 0, 0, 0};
    const std::vector<fb::Offset<tfl::Buffer>> buffers = {
        tfl::CreateBufferDirect(b), tfl::CreateBufferDirect(b, &limit),
        tfl::CreateBufferDirect(b, &half), tfl::CreateBufferDirect(b, &one),
        tfl::CreateBufferDirect(b, &zero)};
    tfl::FinishModelBuffer(b, tfl::CreateModelDirect(b, 3, &codes, &graphs, "", &buffers));
    const auto* first = reinterpret_cast<const std::byte*>(b.GetBufferPointer());
    const std::string path = testing::TempDir() + "lockstep_while.tflite";
    EXPECT_TRUE(write_file(path, {first, first + b.GetSize()}).ok());
    auto graph = import_model(path);
    std::filesystem::remove(path);
    return graph;
  }
};

TEST(TfliteWhile, a_loop_that_counts_is_written_out_step_by_step) {
  const auto graph = Loop{}.graph();
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  const Graph& g = graph.value();
  EXPECT_EQ(std::ranges::count(g.nodes(), "Add", &Node::op),
            3);  // the counter's own sums are constants
  EXPECT_NE(g.find_value("WHILE_last/2/sum"), no_id);
  EXPECT_EQ(g.value(g.outputs()[0]).name, "out");
}

TEST(TfliteWhile, its_steps_share_their_constants) {
  const auto graph = Loop{}.graph();
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  EXPECT_NE(graph.value().find_value("WHILE_last/0/step"), no_id);
  EXPECT_EQ(graph.value().find_value("WHILE_last/1/step"), no_id);
}

TEST(TfliteWhile, a_loop_that_never_begins_hands_its_operands_on) {
  const auto graph = Loop{.bound = 0}.graph();
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  EXPECT_EQ(std::ranges::count(graph.value().nodes(), "Add", &Node::op), 0);
}

// The name of the loop once ended the program here: its result belongs to the graph around the
// composite.
TEST(TfliteWhile, a_loop_in_a_composite_is_written_out_too) {
  const auto graph = Loop{.in_composite = true}.graph();
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  EXPECT_EQ(std::ranges::count(graph.value().nodes(), "Add", &Node::op), 3);
  EXPECT_EQ(graph.value().value(graph.value().outputs()[0]).name, "out");
}

TEST(TfliteWhile, loops_in_loops_are_written_out_too) {
  const auto graph = Loop{.around = 2}.graph();
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  EXPECT_EQ(graph.value().value(graph.value().outputs()[0]).name, "out");
}

TEST(TfliteWhile, a_loop_that_depends_on_data_is_refused_by_name) {
  const auto graph = Loop{.by_data = true}.graph();
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.error().line().find("a condition that depends on data"), std::string::npos)
      << graph.error().line();
}

TEST(TfliteWhile, more_than_4096_steps_are_refused) {
  const auto graph = Loop{.bound = 5000}.graph();
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.error().line().find("4096"), std::string::npos) << graph.error().line();
}

// 4096 * 4096 * 4096 steps, of which the graph in the end keeps nothing: what is read is counted
// over all loops together.
TEST(TfliteWhile, loops_in_loops_that_fold_to_constants_are_bounded_together) {
  const auto graph = Loop{.bound = 4096, .around = 2}.graph();
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.error().line().find("1000000 tensors and operators"), std::string::npos)
      << graph.error().line();
}

}  // namespace
}  // namespace lockstep
