#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <random>

#include "base/files.h"
#include "flatbuffers/tflite_generated.h"
#include "import/import.h"
#include "support/shared.h"

namespace lockstep {
namespace {

namespace fb = flatbuffers;

// A model of one operator: y = a + w, w constant, codes of step 0.5; each piece can be bent.
struct Small {
  int code = static_cast<int>(tfl::BuiltinOperator::ADD);
  std::string custom;
  std::vector<std::int32_t> shape{2}, y_shape, inputs{0, 1};
  std::vector<std::uint8_t> contents{3, 253};
  tfl::TensorType type = tfl::TensorType::INT8;
  std::uint32_t buffer = 1;
  std::string third_name = "y";

  Bytes bytes() const {
    fb::FlatBufferBuilder b;
    const auto quant = [&] {
      return tfl::CreateQuantizationParametersDirect(b, nullptr, nullptr, &step, &zero);
    };
    const std::vector<fb::Offset<tfl::Tensor>> tensors = {
        tfl::CreateTensorDirect(b, &shape, type, 0, "a", quant()),
        tfl::CreateTensorDirect(b, &shape, type, buffer, "w",
                                tfl::CreateQuantizationParametersDirect(
                                    b, nullptr, nullptr, w_step.empty() ? &step : &w_step, &zero)),
        tfl::CreateTensorDirect(b, y_shape.empty() ? &shape : &y_shape, type, 0, third_name.c_str(),
                                quant())};
    const auto options = tfl::CreateAddOptions(b, activation);
    const std::vector<std::int32_t> in{0}, out{2};
    const std::vector<fb::Offset<tfl::Operator>> operators = {tfl::CreateOperatorDirect(
        b, 0, &inputs, &out, plain ? tfl::BuiltinOptions::NONE : tfl::BuiltinOptions::AddOptions,
        plain ? fb::Offset<void>{} : options.Union())};
    const std::vector<fb::Offset<tfl::SubGraph>> graphs = {
        tfl::CreateSubGraphDirect(b, &tensors, &in, &out, &operators)};
    const std::vector<fb::Offset<tfl::OperatorCode>> codes = {tfl::CreateOperatorCodeDirect(
        b, static_cast<std::int8_t>(std::min(code, 127)), custom.empty() ? nullptr : custom.c_str(),
        1, static_cast<tfl::BuiltinOperator>(code))};
    const std::vector<fb::Offset<tfl::Buffer>> buffers = {tfl::CreateBufferDirect(b),
                                                          tfl::CreateBufferDirect(b, &contents)};
    tfl::FinishModelBuffer(b, tfl::CreateModelDirect(b, 3, &codes, &graphs, "", &buffers));
    const auto* first = reinterpret_cast<const std::byte*>(b.GetBufferPointer());
    return {first, first + b.GetSize()};
  }

  std::vector<float> step{0.5f}, w_step;  // w_step: of w where it is another
  tfl::Activation activation = tfl::Activation::RELU;
  bool plain = false;  // an operator without options
  std::vector<std::int64_t> zero{-1};
};

Result<Graph> import_bytes(const Bytes& bytes) {
  const std::string path = testing::TempDir() + "lockstep_small.tflite";
  EXPECT_TRUE(write_file(path, bytes).ok());
  auto graph = import_model(path);
  std::filesystem::remove(path);
  return graph;
}

void expect_refused(const Small& small, std::string_view word) {
  const auto graph = import_bytes(small.bytes());
  ASSERT_FALSE(graph.ok()) << word;
  EXPECT_NE(graph.error().line().find(word), std::string::npos) << graph.error().line();
}

TEST(ImportTflite, reads_names_types_codes_and_what_is_fused) {
  const auto graph = import_bytes(Small{}.bytes());
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  const Graph& g = graph.value();
  ASSERT_EQ(g.nodes().size(), 1u);
  EXPECT_EQ(g.nodes()[0].op, "Add");
  EXPECT_EQ(g.nodes()[0].attrs.text("activation", ""), "relu");
  const Value& w = g.value(g.find_value("w"));
  EXPECT_EQ(w.dtype, DType::i8);
  EXPECT_EQ(w.quant, (QuantParams{{0.5}, {-1}, -1}));
  ASSERT_NE(w.constant, nullptr);
  EXPECT_EQ(w.constant->code(1), -3);
  EXPECT_EQ(g.value(g.outputs()[0]).origin.node, g.nodes()[0].name);
}

// Of the runtime's activations only the clamps do anything in operators like these.
TEST(ImportTflite, a_fused_activation_that_is_no_clamp_does_nothing) {
  for (const tfl::Activation a : {tfl::Activation::TANH, tfl::Activation::SIGN_BIT}) {
    Small small;
    small.activation = a;
    const auto graph = import_bytes(small.bytes());
    ASSERT_TRUE(graph.ok()) << graph.error().line();
    EXPECT_FALSE(graph.value().nodes()[0].attrs.has("activation"));
  }
}

TEST(ImportTflite, joins_16_bit_codes_as_they_are_whatever_their_scales) {
  Small small;
  small.code = static_cast<int>(tfl::BuiltinOperator::CONCATENATION);
  small.plain = true;
  small.type = tfl::TensorType::INT16;
  small.contents = {1, 0, 2, 0};
  small.zero = {0};
  small.w_step = {0.25f};
  small.y_shape = {4};
  const auto graph = import_bytes(small.bytes());
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  EXPECT_EQ(graph.value().nodes()[0].attrs.integer("requantize", 1), 0);
}

// Converters write the scale 0 beside a constant of zeros; the runtimes multiply by nothing.
TEST(ImportTflite, a_constant_of_zeros_may_have_the_scale_0) {
  Small small;
  small.w_step = {0.0f};
  expect_refused(small, "scale");
  small.contents = {255, 255};  // the zero point
  const auto graph = import_bytes(small.bytes());
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  EXPECT_EQ(graph.value().value(graph.value().find_value("w")).quant.scale_at(0), 0x1p-126);
}

TEST(ImportTflite, a_constant_without_elements_is_a_constant) {
  Small small;
  small.shape = {0};
  small.contents = {};
  const auto graph = import_bytes(small.bytes());
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  const auto& w = graph.value().value(graph.value().find_value("w"));
  ASSERT_NE(w.constant, nullptr);
  EXPECT_EQ(w.constant->count(), 0);
}

// Tools that cut a network at an inner tensor leave the tensors behind it in the file; they once
// counted as inputs without contents.
TEST(ImportTflite, a_tensor_that_no_operator_meets_and_that_has_no_contents_is_none) {
  Small small;
  small.inputs = {0, 0};
  small.buffer = 0;
  const auto graph = import_bytes(small.bytes());
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  EXPECT_EQ(graph.value().find_value("w"), no_id);
  EXPECT_NE(graph.value().find_value("a"), no_id);
}

TEST(ImportTflite, appends_the_index_to_names_that_are_not_unique) {
  Small small;
  small.third_name = "a";
  const auto graph = import_bytes(small.bytes());
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  EXPECT_NE(graph.value().find_value("a#0"), no_id);
  EXPECT_NE(graph.value().find_value("a#2"), no_id);
}

TEST(ImportTflite, refuses_what_has_no_meaning_here_by_name) {
  Small custom;
  custom.code = static_cast<int>(tfl::BuiltinOperator::CUSTOM);
  custom.custom = "TFLite_Detection_PostProcess";
  expect_refused(custom, "TFLite_Detection_PostProcess");
  Small loop;
  loop.code = static_cast<int>(tfl::BuiltinOperator::WHILE);
  expect_refused(loop, "WHILE");
  Small later;
  later.code = 100000;
  expect_refused(later, "100000");
}

TEST(ImportTflite, refuses_contents_of_the_wrong_size_and_indices_outside_the_file) {
  Small small;
  small.contents = {1, 2, 3};
  expect_refused(small, "3 bytes");
  small = {};
  small.buffer = 7;
  expect_refused(small, "buffer 7");
  small = {};
  small.inputs = {0, 9};
  expect_refused(small, "tensor 9");
  small = {};
  small.shape = {1 << 30, 1 << 30};
  expect_refused(small, "1073741824");
}

TEST(ImportTflite, a_cut_file_is_an_error_at_every_length) {
  const Bytes whole = Small{}.bytes();
  for (std::size_t n = 0; n < whole.size(); n += 3) {
    const auto graph =
        import_bytes({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)});
    EXPECT_FALSE(graph.ok()) << n;
  }
}

TEST(ImportTflite, altered_bits_end_in_a_graph_or_an_error) {
  const Bytes whole = Small{}.bytes();
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    Bytes bent = whole;
    const std::size_t at = random() % bent.size();
    bent[at] ^= std::byte{1} << static_cast<int>(random() % 8);
    if (!import_bytes(bent).ok()) ++refused;
  }
  EXPECT_GT(refused, 20);
}

TEST(ImportTflite, gives_old_vectors_of_scales_their_only_axis) {
  LOCKSTEP_NEEDS_SHARED();
  const auto graph = import_model(test::shared_folder() + "/models/tflm/person_detect.tflite");
  ASSERT_TRUE(graph.ok()) << graph.error().line();
}

// y = held + x, held = x: a variable of two codes that starts at {3, 253}; pieces can be left out
// or bent.
struct Streaming {
  bool starts = true;
  std::int32_t assigned = 1, once = 1;

  Bytes bytes() const {
    fb::FlatBufferBuilder b;
    const std::vector<std::int32_t> two{2};
    const auto tensor = [&](const char* name, std::uint32_t buffer) {
      const std::vector<float> step{0.5f};
      const std::vector<std::int64_t> zero{-1};
      return tfl::CreateTensorDirect(
          b, &two, tfl::TensorType::INT8, buffer, name,
          tfl::CreateQuantizationParametersDirect(b, nullptr, nullptr, &step, &zero));
    };
    const auto handle = [&] {
      return tfl::CreateTensorDirect(b, nullptr, tfl::TensorType::RESOURCE, 0, "handle");
    };
    const auto op = [&](std::uint32_t code, std::vector<std::int32_t> in,
                        std::vector<std::int32_t> out, tfl::BuiltinOptions kind,
                        fb::Offset<void> options) {
      return tfl::CreateOperatorDirect(b, code, &in, &out, kind, options);
    };
    const auto none = tfl::BuiltinOptions::NONE;
    const auto named = [&] { return tfl::CreateVarHandleOptionsDirect(b, "", "held").Union(); };
    const std::vector<fb::Offset<tfl::Tensor>> main{handle(), tensor("x", 0), tensor("before", 0),
                                                    tensor("y", 0)},
        first{handle(), tensor("start", 1)};
    const std::vector<fb::Offset<tfl::Operator>> run{
        op(0, {}, {}, tfl::BuiltinOptions::CallOnceOptions,
           tfl::CreateCallOnceOptions(b, once).Union()),
        op(1, {}, {0}, tfl::BuiltinOptions::VarHandleOptions, named()), op(2, {0}, {2}, none, 0),
        op(4, {2, 1}, {3}, tfl::BuiltinOptions::AddOptions, tfl::CreateAddOptions(b).Union()),
        op(3, {0, 1}, {}, none, 0)};
    std::vector<fb::Offset<tfl::Operator>> once_run{
        op(1, {}, {0}, tfl::BuiltinOptions::VarHandleOptions, named())};
    if (starts) once_run.push_back(op(3, {0, assigned}, {}, none, 0));
    const std::vector<std::int32_t> in{1}, out{3}, nothing;
    const std::vector<fb::Offset<tfl::SubGraph>> graphs{
        tfl::CreateSubGraphDirect(b, &main, &in, &out, &run),
        tfl::CreateSubGraphDirect(b, &first, &nothing, &nothing, &once_run)};
    std::vector<fb::Offset<tfl::OperatorCode>> codes;
    for (const auto code : {tfl::BuiltinOperator::CALL_ONCE, tfl::BuiltinOperator::VAR_HANDLE,
                            tfl::BuiltinOperator::READ_VARIABLE,
                            tfl::BuiltinOperator::ASSIGN_VARIABLE, tfl::BuiltinOperator::ADD})
      codes.push_back(tfl::CreateOperatorCodeDirect(
          b, static_cast<std::int8_t>(std::min(static_cast<int>(code), 127)), nullptr, 1, code));
    const std::vector<std::uint8_t> contents{3, 253};
    const std::vector<fb::Offset<tfl::Buffer>> buffers{tfl::CreateBufferDirect(b),
                                                       tfl::CreateBufferDirect(b, &contents)};
    tfl::FinishModelBuffer(b, tfl::CreateModelDirect(b, 3, &codes, &graphs, "", &buffers));
    const auto* begin = reinterpret_cast<const std::byte*>(b.GetBufferPointer());
    return {begin, begin + b.GetSize()};
  }
};

TEST(ImportTflite,
     a_resource_variable_is_a_state_that_starts_at_what_the_subgraph_run_once_assigns) {
  const auto graph = import_bytes(Streaming{}.bytes());
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  ASSERT_EQ(graph->states().size(), 1u);
  const State& state = graph->states()[0];
  EXPECT_EQ(graph->value(state.in).name, "before");
  EXPECT_EQ(graph->value(state.out).name, "x");
  ASSERT_TRUE(state.initial);
  EXPECT_EQ(state.initial->code(0), 3);
  EXPECT_EQ(state.initial->code(1), -3);
}

TEST(ImportTflite, refuses_variables_without_a_constant_start_by_one_line) {
  const auto expect = [](const Streaming& bent, std::string_view word) {
    const auto graph = import_bytes(bent.bytes());
    ASSERT_FALSE(graph.ok()) << word;
    EXPECT_NE(graph.error().line().find(word), std::string::npos) << graph.error().line();
  };
  expect({.starts = false}, "read before anything is assigned");
  expect({.assigned = 9}, "tensor 9 of another subgraph");
  expect({.once = 2}, "subgraph 2");
  expect({.once = 0}, "subgraph 0");
}

}  // namespace
}  // namespace lockstep
