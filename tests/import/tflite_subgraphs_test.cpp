#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "flatbuffers/tflite_generated.h"
#include "import/import.h"

namespace lockstep {
namespace {

namespace fb = flatbuffers;
using Ints = std::vector<std::int32_t>;

// A file of three subgraphs over float vectors of 2: the first calls, the second is ABS, the third
// NEG.
struct Calls {
  tfl::BuiltinOperator code = tfl::BuiltinOperator::STABLEHLO_COMPOSITE;
  Ints operands{1};
  std::int32_t called = 1;
  Ints inner_outputs{1};

  Result<Graph> graph() const {
    fb::FlatBufferBuilder b;
    const Ints two{2}, none{};
    const auto vector = [&](const char* name) {
      return tfl::CreateTensorDirect(b, &two, tfl::TensorType::FLOAT32, 0, name);
    };
    const auto subgraph = [&](std::uint32_t op, const Ints& outputs) {
      const std::vector<fb::Offset<tfl::Tensor>> tensors = {vector("in"), vector("out")};
      const Ints in{0}, out{1};
      const std::vector<fb::Offset<tfl::Operator>> operators = {
          tfl::CreateOperatorDirect(b, op, &in, &out)};
      return tfl::CreateSubGraphDirect(b, &tensors, &in, &outputs, &operators);
    };
    const std::vector<fb::Offset<tfl::Tensor>> tensors = {
        tfl::CreateTensorDirect(b, &none, tfl::TensorType::BOOL, 0, "which"), vector("x"),
        vector("y")};
    const Ints in{0, 1}, out{2};
    const bool chooses = code == tfl::BuiltinOperator::IF;
    const auto composite = tfl::CreateStableHLOCompositeOptionsDirect(b, "mine.abs", called);
    const auto branches = tfl::CreateIfOptions(b, called, 2);
    const std::vector<fb::Offset<tfl::Operator>> operators = {tfl::CreateOperatorDirect(
        b, 0, &operands, &out, chooses ? tfl::BuiltinOptions::IfOptions : tfl::BuiltinOptions::NONE,
        chooses ? branches.Union() : fb::Offset<void>{}, nullptr, 0, nullptr, nullptr, 0, 0,
        chooses ? tfl::BuiltinOptions2::NONE : tfl::BuiltinOptions2::StableHLOCompositeOptions,
        chooses ? fb::Offset<void>{} : composite.Union())};
    const std::vector<fb::Offset<tfl::SubGraph>> graphs = {
        tfl::CreateSubGraphDirect(b, &tensors, &in, &out, &operators), subgraph(1, inner_outputs),
        subgraph(2, {1})};
    const auto coded = [&](tfl::BuiltinOperator c) {
      return tfl::CreateOperatorCodeDirect(
          b, static_cast<std::int8_t>(std::min(static_cast<int>(c), 127)), nullptr, 1, c);
    };
    const std::vector<fb::Offset<tfl::OperatorCode>> codes = {
        coded(code), coded(tfl::BuiltinOperator::ABS), coded(tfl::BuiltinOperator::NEG)};
    const std::vector<fb::Offset<tfl::Buffer>> buffers = {tfl::CreateBufferDirect(b)};
    tfl::FinishModelBuffer(b, tfl::CreateModelDirect(b, 3, &codes, &graphs, "", &buffers));
    const auto* first = reinterpret_cast<const std::byte*>(b.GetBufferPointer());
    const std::string path = testing::TempDir() + "lockstep_calls.tflite";
    EXPECT_TRUE(write_file(path, {first, first + b.GetSize()}).ok());
    auto graph = import_model(path);
    std::filesystem::remove(path);
    return graph;
  }
};

TEST(TfliteSubgraphs, a_composite_is_read_as_its_decomposition) {
  const auto g = Calls{}.graph();
  ASSERT_TRUE(g.ok()) << g.error().line();
  ASSERT_EQ(g.value().nodes().size(), 1u);
  EXPECT_EQ(g.value().nodes()[0].op, "Abs");
  EXPECT_EQ(g.value().value(g.value().nodes()[0].outputs[0]).name, "y");
}

TEST(TfliteSubgraphs, an_if_computes_both_branches_and_chooses) {
  const auto g = Calls{tfl::BuiltinOperator::IF, {0, 1}}.graph();
  ASSERT_TRUE(g.ok()) << g.error().line();
  ASSERT_EQ(g.value().nodes().size(), 3u);
  EXPECT_EQ(g.value().nodes()[2].op, "Where");
  EXPECT_EQ(g.value().value(g.value().outputs()[0]).name, "y");
}

TEST(TfliteSubgraphs, refuses_subgraphs_that_call_themselves_are_absent_or_hand_through) {
  for (const std::int32_t called : {0, 3, -1})
    EXPECT_FALSE((Calls{tfl::BuiltinOperator::STABLEHLO_COMPOSITE, {1}, called}.graph().ok()))
        << called;
  EXPECT_FALSE((Calls{tfl::BuiltinOperator::STABLEHLO_COMPOSITE, {1}, 1, {0}}.graph().ok()));
  EXPECT_FALSE((Calls{tfl::BuiltinOperator::STABLEHLO_COMPOSITE, {0, 1}}.graph().ok()));
}

}  // namespace
}  // namespace lockstep
