#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "flatbuffers/tflite_generated.h"
#include "import/import.h"

namespace lockstep {
namespace {

namespace fb = flatbuffers;
using Ints = std::vector<std::int32_t>;

// WHILE (count < 3) or, where `by_data`, (x < 3): count + 1, x + step. Tensors of each subgraph: 0 count, 1 x, and its own.
Result<Graph> loop(bool by_data, std::int32_t bound = 3) {
  fb::FlatBufferBuilder b;
  const Ints none{};
  const auto tensor = [&](const char* name, tfl::TensorType type, std::uint32_t buffer = 0) { return tfl::CreateTensorDirect(b, &none, type, buffer, name); };
  using T = tfl::TensorType;
  const auto node = [&](std::uint32_t code, Ints in, Ints out) { return tfl::CreateOperatorDirect(b, code, &in, &out); };
  const Ints both{0, 1};
  const std::vector<fb::Offset<tfl::Tensor>> inside = {tensor("count", T::INT32), tensor("x", T::FLOAT32), tensor("bound", T::INT32, 1),
                                                       tensor("real_bound", T::FLOAT32, 2), tensor("goes", T::BOOL)};
  const std::vector<fb::Offset<tfl::Operator>> asks = {node(1, by_data ? Ints{1, 3} : Ints{0, 2}, {4})};
  const Ints goes{4};
  const auto condition = tfl::CreateSubGraphDirect(b, &inside, &both, &goes, &asks);
  const std::vector<fb::Offset<tfl::Tensor>> made = {tensor("count", T::INT32), tensor("x", T::FLOAT32), tensor("one", T::INT32, 3),
                                                     tensor("step", T::FLOAT32, 2), tensor("next", T::INT32), tensor("sum", T::FLOAT32)};
  const std::vector<fb::Offset<tfl::Operator>> adds = {node(2, {0, 2}, {4}), node(2, {1, 3}, {5})};
  const Ints after{4, 5};
  const auto body = tfl::CreateSubGraphDirect(b, &made, &both, &after, &adds);
  const std::vector<fb::Offset<tfl::Tensor>> outside = {tensor("start", T::INT32, 4), tensor("in", T::FLOAT32), tensor("last", T::INT32), tensor("out", T::FLOAT32)};
  const auto options = tfl::CreateWhileOptions(b, 1, 2);
  const Ints from{0, 1}, to{2, 3}, fed{1}, result{3};
  const std::vector<fb::Offset<tfl::Operator>> runs = {tfl::CreateOperatorDirect(b, 0, &from, &to, tfl::BuiltinOptions::WhileOptions, options.Union())};
  const std::vector<fb::Offset<tfl::SubGraph>> graphs = {tfl::CreateSubGraphDirect(b, &outside, &fed, &result, &runs), condition, body};
  const auto code = [&](tfl::BuiltinOperator c) { return tfl::CreateOperatorCodeDirect(b, static_cast<std::int8_t>(std::min(static_cast<int>(c), 127)), nullptr, 1, c); };
  const std::vector<fb::Offset<tfl::OperatorCode>> codes = {code(tfl::BuiltinOperator::WHILE), code(tfl::BuiltinOperator::LESS), code(tfl::BuiltinOperator::ADD)};
  const std::vector<std::uint8_t> limit{static_cast<std::uint8_t>(bound), static_cast<std::uint8_t>(bound >> 8), 0, 0}, half{0, 0, 0, 0x3f}, one{1, 0, 0, 0}, zero{0, 0, 0, 0};
  const std::vector<fb::Offset<tfl::Buffer>> buffers = {tfl::CreateBufferDirect(b), tfl::CreateBufferDirect(b, &limit), tfl::CreateBufferDirect(b, &half),
                                                        tfl::CreateBufferDirect(b, &one), tfl::CreateBufferDirect(b, &zero)};
  tfl::FinishModelBuffer(b, tfl::CreateModelDirect(b, 3, &codes, &graphs, "", &buffers));
  const auto* first = reinterpret_cast<const std::byte*>(b.GetBufferPointer());
  const std::string path = testing::TempDir() + "lockstep_while.tflite";
  EXPECT_TRUE(write_file(path, {first, first + b.GetSize()}).ok());
  auto graph = import_model(path);
  std::filesystem::remove(path);
  return graph;
}

TEST(TfliteWhile, a_loop_that_counts_is_written_out_step_by_step) {
  const auto graph = loop(false);
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  const Graph& g = graph.value();
  EXPECT_EQ(std::ranges::count(g.nodes(), "Add", &Node::op), 3);  // the counter's own sums are constants
  EXPECT_NE(g.find_value("WHILE_last/2/sum"), no_id);
  EXPECT_EQ(g.value(g.outputs()[0]).name, "out");
}

TEST(TfliteWhile, its_steps_share_their_constants) {
  const auto graph = loop(false);
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  EXPECT_NE(graph.value().find_value("WHILE_last/0/step"), no_id);
  EXPECT_EQ(graph.value().find_value("WHILE_last/1/step"), no_id);
}

TEST(TfliteWhile, a_loop_that_never_begins_hands_its_operands_on) {
  const auto graph = loop(false, 0);
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  EXPECT_EQ(std::ranges::count(graph.value().nodes(), "Add", &Node::op), 0);
}

TEST(TfliteWhile, a_loop_that_depends_on_data_is_refused_by_name) {
  const auto graph = loop(true);
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.error().line().find("a condition that depends on data"), std::string::npos) << graph.error().line();
}

TEST(TfliteWhile, more_than_4096_steps_are_refused) {
  const auto graph = loop(false, 5000);
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.error().line().find("4096"), std::string::npos) << graph.error().line();
}

}  // namespace
}  // namespace lockstep
