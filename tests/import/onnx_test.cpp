#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>

#include "base/random.h"
#include "import/import.h"
#include "import/onnx_proto.h"
#include "run/executor.h"
#include "support/shared.h"

namespace fs = std::filesystem;

namespace lockstep {
namespace {

struct ModelBuilder {
  onnx::ModelProto model;

  explicit ModelBuilder(std::int64_t opset = 17) {
    model.set_ir_version(8);
    model.add_opset_import()->set_version(opset);
    model.mutable_graph()->set_name("g");
  }
  ModelBuilder& input(const std::string& name, const std::vector<std::int64_t>& dims, int type = onnx::TensorProto::FLOAT) {
    describe(model.mutable_graph()->add_input(), name, dims, type);
    return *this;
  }
  ModelBuilder& output(const std::string& name) {
    describe(model.mutable_graph()->add_output(), name, {}, onnx::TensorProto::FLOAT);
    return *this;
  }
  template <class T>
  ModelBuilder& constant(const std::string& name, const std::vector<std::int64_t>& dims, const std::vector<T>& elements, int type) {
    auto* t = model.mutable_graph()->add_initializer();
    t->set_name(name);
    t->set_data_type(type);
    for (const auto d : dims) t->add_dims(d);
    t->set_raw_data(elements.data(), elements.size() * sizeof(T));
    return *this;
  }
  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
    return add_node(*model.mutable_graph(), op, inputs, outputs);
  }
  static onnx::NodeProto& add_node(onnx::GraphProto& graph, const std::string& op, const std::vector<std::string>& inputs,
                                   const std::vector<std::string>& outputs) {
    auto* n = graph.add_node();
    n->set_op_type(op);
    n->set_name(op + std::to_string(graph.node_size()));
    for (const auto& i : inputs) n->add_input(i);
    for (const auto& o : outputs) n->add_output(o);
    return *n;
  }
  static void describe(onnx::ValueInfoProto* info, const std::string& name, const std::vector<std::int64_t>& dims, int type) {
    info->set_name(name);
    auto* t = info->mutable_type()->mutable_tensor_type();
    t->set_elem_type(type);
    t->mutable_shape();
    for (const auto d : dims) t->mutable_shape()->add_dim()->set_dim_value(d);
  }
  Result<Graph> import(const ImportOptions& options = {}) const { return import_text(model.SerializeAsString(), options); }
  static Result<Graph> import_text(const std::string& text, const ImportOptions& options = {}) {
    return import_onnx_bytes(std::as_bytes(std::span(text)), "m.onnx", options);
  }
};

void set_ints(onnx::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& list) {
  auto* a = node.add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::INTS);
  for (const auto i : list) a->add_ints(i);
}

void set_int(onnx::NodeProto& node, const std::string& name, std::int64_t i) {
  auto* a = node.add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::INT);
  a->set_i(i);
}

Tensor run_float(const Graph& graph, const Sample& inputs, const std::string& wanted) {
  const auto executor = Executor::make(graph, *find_arithmetic("float"));
  EXPECT_TRUE(executor.ok()) << executor.error().line();
  const auto capture = executor->run({&inputs, 1}, std::vector{wanted});
  EXPECT_TRUE(capture.ok()) << capture.error().line();
  return capture->samples[0].at(wanted);
}

Tensor floats(Shape shape, std::vector<float> elements) { return Tensor::of<float>(std::move(shape), elements); }

TEST(OnnxImport, names_tensors_as_the_file_does_and_nodes_without_a_name_by_what_they_make) {
  ModelBuilder m;
  m.input("x", {1, 2}).output("y").node("Relu", {"x"}, {"y"}).clear_name();
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(g->node(0).name, "Relu:y");
  EXPECT_NE(g->find_value("x"), no_id);
  EXPECT_EQ(g->value(g->outputs()[0]).origin.node, "Relu:y");
}

TEST(OnnxImport, puts_one_for_symbolic_extents_or_what_the_options_say) {
  ModelBuilder m;
  m.input("x", {0, 2}).output("y").node("Relu", {"x"}, {"y"});
  m.model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_param("n");
  EXPECT_EQ(m.import()->value(0).shape, (Shape{1, 2}));
  EXPECT_EQ(m.import({.dimensions = {{"n", 5}}})->value(0).shape, (Shape{5, 2}));
  m.model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->clear_value();
  EXPECT_EQ(m.import({.dimensions = {{"x[0]", 7}}})->value(0).shape, (Shape{7, 2}));
}

TEST(OnnxImport, notes_scale_and_zero_point_on_the_codes) {
  ModelBuilder m;
  m.input("x", {3}).output("y");
  m.constant<float>("s", {}, {0.5f}, onnx::TensorProto::FLOAT).constant<std::int8_t>("z", {}, {3}, onnx::TensorProto::INT8);
  m.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  m.node("DequantizeLinear", {"q", "s", "z"}, {"y"});
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(g->value(g->find_value("q")).quant, (QuantParams{{0.5}, {3}, -1}));
  EXPECT_FALSE(g->value(g->find_value("y")).quant.quantized());
}

TEST(OnnxImport, notes_one_scale_per_channel_of_dequantized_weights) {
  ModelBuilder m;
  m.output("y").constant<std::int8_t>("w", {2, 1}, {1, 2}, onnx::TensorProto::INT8);
  m.constant<float>("s", {2}, {0.5f, 0.25f}, onnx::TensorProto::FLOAT);
  set_int(m.node("DequantizeLinear", {"w", "s"}, {"y"}), "axis", -2);
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(g->value(g->find_value("w")).quant, (QuantParams{{0.5, 0.25}, {0, 0}, 0}));
}

// onnxruntime's own operators are read as those that its optimizer joined: 2 and -1 are 170 and -85 steps of 3/255.
TEST(OnnxImport, reads_a_product_that_codes_its_operand_on_the_fly) {
  ModelBuilder m;
  m.model.add_opset_import()->set_domain("com.microsoft");
  m.model.mutable_opset_import(1)->set_version(1);
  m.input("x", {1, 2}).output("y").constant<std::int8_t>("w", {2, 1}, {1, 2}, onnx::TensorProto::INT8);
  m.constant<float>("s", {}, {0.5f}, onnx::TensorProto::FLOAT).constant<float>("b", {1}, {10}, onnx::TensorProto::FLOAT);
  m.node("DynamicQuantizeMatMul", {"x", "w", "s", "", "b"}, {"y"}).set_domain("com.microsoft");
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(run_float(*g, {{"x", floats({1, 2}, {2, -1})}}, "y").as<float>()[0], 10 + 0.0f);
}

TEST(OnnxImport, refuses_a_fused_product_whose_factor_meets_parts_of_sums) {
  ModelBuilder m;
  m.model.add_opset_import()->set_domain("com.microsoft");
  m.model.mutable_opset_import(1)->set_version(1);
  m.input("x", {2, 129}).input("w", {129, 2}).output("y");
  auto* const alpha = m.node("FusedMatMul", {"x", "w"}, {"y"}).add_attribute();
  m.model.mutable_graph()->mutable_node(0)->set_domain("com.microsoft");
  alpha->set_name("alpha"), alpha->set_type(onnx::AttributeProto::FLOAT), alpha->set_f(0.25f);
  EXPECT_TRUE(m.import().ok());
  alpha->set_f(0.3f);
  const auto g = m.import();
  ASSERT_FALSE(g.ok());
  EXPECT_NE(g.error().what.find("over sums of 129"), std::string::npos) << g.error().line();
}

TEST(OnnxImport, folds_arithmetic_on_shapes) {  // reshape to [shape(x)[0], -1]
  ModelBuilder m;
  m.input("x", {2, 3, 4}).output("y");
  m.constant<std::int64_t>("zero", {1}, {0}, onnx::TensorProto::INT64).constant<std::int64_t>("rest", {1}, {-1}, onnx::TensorProto::INT64);
  m.node("Shape", {"x"}, {"shape"});
  m.node("Gather", {"shape", "zero"}, {"batch"});
  set_int(m.node("Concat", {"batch", "rest"}, {"target"}), "axis", 0);
  m.node("Reshape", {"x", "target"}, {"y"});
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(g->value(g->outputs()[0]).shape, (Shape{2, 12}));
  EXPECT_EQ(g->nodes().size(), 1u);
}

// s' = s + x[t], y[t] = s'
ModelBuilder running_sum() {
  ModelBuilder m;
  m.input("start", {1}).input("x", {3, 1}).output("last").output("sums");
  auto& scan = m.node("Scan", {"start", "x"}, {"last", "sums"});
  set_int(scan, "num_scan_inputs", 1);
  auto* a = scan.add_attribute();
  a->set_name("body");
  a->set_type(onnx::AttributeProto::GRAPH);
  auto* body = a->mutable_g();
  ModelBuilder::describe(body->add_input(), "s", {1}, onnx::TensorProto::FLOAT);
  ModelBuilder::describe(body->add_input(), "v", {1}, onnx::TensorProto::FLOAT);
  ModelBuilder::add_node(*body, "Add", {"s", "v"}, {"next"});
  ModelBuilder::add_node(*body, "Identity", {"next"}, {"out"});
  ModelBuilder::describe(body->add_output(), "next", {1}, onnx::TensorProto::FLOAT);
  ModelBuilder::describe(body->add_output(), "out", {1}, onnx::TensorProto::FLOAT);
  return m;
}

TEST(OnnxImport, unrolls_a_scan) {
  const auto g = running_sum().import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  const Sample in = {{"start", floats({1}, {10})}, {"x", floats({3, 1}, {1, 2, 4})}};
  EXPECT_EQ(run_float(*g, in, "last"), floats({1}, {17}));
  EXPECT_EQ(run_float(*g, in, "sums"), floats({3, 1}, {11, 13, 17}));
}

// for i < 3: s = s * 2
ModelBuilder doubling(bool constant_trips) {
  ModelBuilder m;
  m.input("start", {1}).output("last");
  if (constant_trips) m.constant<std::int64_t>("trips", {}, {3}, onnx::TensorProto::INT64);
  else m.input("trips", {}, onnx::TensorProto::INT64);
  auto& loop = m.node("Loop", {"trips", "", "start"}, {"last"});
  auto* a = loop.add_attribute();
  a->set_name("body");
  a->set_type(onnx::AttributeProto::GRAPH);
  auto* body = a->mutable_g();
  for (const char* const name : {"i", "go", "s"}) ModelBuilder::describe(body->add_input(), name, {}, onnx::TensorProto::FLOAT);
  ModelBuilder::add_node(*body, "Identity", {"go"}, {"still"});
  ModelBuilder::add_node(*body, "Add", {"s", "s"}, {"next"});
  for (const char* const name : {"still", "next"}) ModelBuilder::describe(body->add_output(), name, {}, onnx::TensorProto::FLOAT);
  return m;
}

TEST(OnnxImport, unrolls_a_loop_of_constant_trip_count) {
  const auto g = doubling(true).import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(run_float(*g, {{"start", floats({1}, {5})}}, "last"), floats({1}, {40}));
}

void expect_refused(const Result<Graph>& g, const std::vector<std::string>& parts) {
  ASSERT_FALSE(g.ok());
  for (const std::string& part : parts)
    EXPECT_NE((g.error().where + " " + g.error().what + " " + g.error().want).find(part), std::string::npos)
        << part << " in " << g.error().line();
}

TEST(OnnxImport, refuses_by_name_what_it_does_not_read) {
  expect_refused(doubling(false).import(), {"m.onnx", "Loop", "trip count", "constant"});
  ModelBuilder unknown;
  unknown.input("x", {1}).output("y").node("Frobnicate", {"x"}, {"y"});
  expect_refused(unknown.import(), {"m.onnx", "Frobnicate1", "opset 17", "docs/ops.md"});
  ModelBuilder attribute;
  set_int(attribute.input("x", {1}).output("y").node("Relu", {"x"}, {"y"}), "leak", 1);
  expect_refused(attribute.import(), {"m.onnx", "Relu1", "leak"});
  ModelBuilder opset(6);
  opset.input("x", {1}).output("y").node("Relu", {"x"}, {"y"});
  expect_refused(opset.import(), {"opset 6", "7 to 25"});
  ModelBuilder missing;
  missing.output("y").node("Relu", {"x"}, {"y"});
  expect_refused(missing.import(), {"Relu1", "'x'"});
  ModelBuilder half;
  half.input("x", {1}, onnx::TensorProto::FLOAT16).output("y").node("Relu", {"x"}, {"y"});
  expect_refused(half.import(), {"Relu1", "float16", "float32"});
  ModelBuilder twice;
  twice.input("x", {1}).output("y").node("Relu", {"x"}, {"y"});
  twice.node("Abs", {"x"}, {"y"});
  expect_refused(twice.import(), {"Abs2", "second time"});
}

TEST(OnnxImport, refuses_contents_in_other_files) {
  ModelBuilder m;
  m.output("y").constant<float>("c", {1}, {1}, onnx::TensorProto::FLOAT).node("Relu", {"c"}, {"y"});
  m.model.mutable_graph()->mutable_initializer(0)->set_data_location(onnx::TensorProto::EXTERNAL);
  expect_refused(m.import(), {"initializer 'c'", "another file"});
}

std::int64_t peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(OnnxImport, refuses_a_gigabyte_that_the_file_only_claims) {
  const std::int64_t before = peak_kilobytes();
  ModelBuilder initializer;
  initializer.output("y").constant<float>("c", {1 << 28}, {1, 2}, onnx::TensorProto::FLOAT).node("Relu", {"c"}, {"y"});
  expect_refused(initializer.import(), {"initializer 'c'", "8 bytes", "1073741824"});
  ModelBuilder overflow;
  overflow.output("y").constant<float>("c", {1LL << 33, 1LL << 33}, {1, 2}, onnx::TensorProto::FLOAT).node("Relu", {"c"}, {"y"});
  expect_refused(overflow.import(), {"initializer 'c'", "2^40"});
  ModelBuilder input;
  input.input("x", {1 << 28}).output("y").node("Relu", {"x"}, {"y"});
  expect_refused(input.import(), {"input 'x'", "512 MiB"});
  ModelBuilder filled;
  filled.output("y").constant<std::int64_t>("shape", {1}, {1 << 28}, onnx::TensorProto::INT64).node("ConstantOfShape", {"shape"}, {"y"});
  expect_refused(filled.import(), {"ConstantOfShape", "512 MiB"});
  EXPECT_LT(peak_kilobytes() - before, 100 * 1024);
}

// Truncated and bit-flipped models are graphs or errors, never a crash.
TEST(OnnxImport, survives_damaged_files) {
  ModelBuilder m = running_sum();
  m.constant<float>("w", {1, 1, 2}, {1, 2}, onnx::TensorProto::FLOAT).constant<std::int64_t>("shape", {3}, {1, 1, -1}, onnx::TensorProto::INT64);
  m.node("Reshape", {"sums", "shape"}, {"r"});
  set_ints(m.node("Conv", {"r", "w"}, {"c"}), "pads", {1, 1});
  set_ints(m.node("MaxPool", {"c"}, {"p"}), "kernel_shape", {2});
  set_int(m.node("Softmax", {"p"}, {"y"}), "axis", -1);
  m.output("y");
  ASSERT_TRUE(m.import().ok()) << m.import().error().line();
  const std::string whole = m.model.SerializeAsString();
  std::size_t refused = 0, read = 0;
  for (std::size_t length = 0; length < whole.size(); ++length)
    ++(ModelBuilder::import_text(whole.substr(0, length)).ok() ? read : refused);
  Random random(7);
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = whole;
    for (std::int64_t flips = random.between(1, 3); flips-- > 0;)
      damaged[static_cast<std::size_t>(random.between(0, std::ssize(damaged) - 1))] ^= static_cast<char>(1 << random.between(0, 7));
    ++(ModelBuilder::import_text(damaged).ok() ? read : refused);
  }
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(read, 0u);
}

// What is refused, and what the message must name.
const std::map<std::string, std::vector<std::string>, std::less<>> refusals = {
    {"antispoof/facenox_detector_int8.onnx",
     {"facenox_detector_int8.onnx", "DequantizeLinear", "_quantized_node", "block_size"}},
};

TEST(OnnxImport, reads_every_shared_model_or_says_why_not) {
  LOCKSTEP_NEEDS_SHARED();
  const fs::path root = fs::path(test::shared_folder()) / "models";
  std::size_t read = 0, refused = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".onnx") continue;
    const std::string name = fs::relative(entry.path(), root);
    const auto graph = import_model(entry.path());
    const auto expected = refusals.find(name);
    if (expected == refusals.end()) {
      EXPECT_TRUE(graph.ok()) << graph.error().line();
      read += graph.ok();
    } else {
      expect_refused(graph, expected->second);
      ++refused;
    }
  }
  std::cout << read << " ONNX models read, " << refused << " refused as they must be\n";
  EXPECT_GE(read, 20u);
}

TEST(OnnxImport, unpacks_four_bit_weights_and_says_so_at_their_dequantizer) {
  for (const int type : {21, 22}) {  // uint4, int4
    ModelBuilder m;
    m.output("y").constant<std::uint8_t>("w", {3}, {0x8f, 0x07}, type);
    m.constant<float>("s", {}, {0.5f}, onnx::TensorProto::FLOAT);
    m.node("DequantizeLinear", {"w", "s"}, {"y"});
    const auto g = m.import();
    ASSERT_TRUE(g.ok()) << g.error().line();
    const Tensor& w = *g->value(g->find_value("w")).constant;
    EXPECT_EQ(w.dtype(), type == 22 ? DType::i8 : DType::u8);
    EXPECT_EQ(w.code(0), type == 22 ? -1 : 15);
    EXPECT_EQ(w.code(1), type == 22 ? -8 : 8);
    EXPECT_EQ(w.code(2), 7);
    EXPECT_EQ(g->node(0).attrs.integer("bits", 8), 4);
  }
}

TEST(OnnxImport, refuses_four_bit_weights_that_are_cut) {
  ModelBuilder m;
  m.output("y").constant<std::uint8_t>("w", {3}, {0x8f}, 22);
  m.constant<float>("s", {}, {0.5f}, onnx::TensorProto::FLOAT);
  m.node("DequantizeLinear", {"w", "s"}, {"y"});
  const auto g = m.import();
  ASSERT_FALSE(g.ok());
  EXPECT_NE(g.error().line().find("1 bytes for int4[3]"), std::string::npos) << g.error().line();
}

void set_text(onnx::NodeProto& node, const std::string& name, const std::string& text) {
  auto* a = node.add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::STRING);
  a->set_s(text);
}

ModelBuilder fused_gemm(const std::string& activation) {
  ModelBuilder m;
  auto* domain = m.model.add_opset_import();
  domain->set_domain("com.microsoft");
  domain->set_version(1);
  m.input("x", {1, 2}).output("y").constant<float>("w", {2, 2}, {1, 2, -3, -4}, onnx::TensorProto::FLOAT);
  auto& node = m.node("FusedGemm", {"x", "w"}, {"y"});
  node.set_domain("com.microsoft");
  set_text(node, "activation", activation);
  return m;
}

TEST(OnnxImport, reads_a_layer_that_the_runtime_fused_with_its_activation_as_two) {
  const auto g = fused_gemm("Relu").import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(g->nodes().size(), 2u);
  EXPECT_EQ(run_float(*g, {{"x", floats({1, 2}, {3, 1})}}, "y"), floats({1, 2}, {0, 2}));
}

TEST(OnnxImport, reads_the_bounds_of_a_fused_clip) {
  ModelBuilder m = fused_gemm("Clip");
  auto* bounds = m.model.mutable_graph()->mutable_node(0)->add_attribute();
  bounds->set_name("activation_params");
  bounds->set_type(onnx::AttributeProto::FLOATS);
  bounds->add_floats(-0.5f), bounds->add_floats(1.5f);
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(run_float(*g, {{"x", floats({1, 2}, {3, 1})}}, "y"), floats({1, 2}, {0, 1.5f}));
  EXPECT_EQ(run_float(*g, {{"x", floats({1, 2}, {0, 1})}}, "y"), floats({1, 2}, {-0.5f, -0.5f}));
}

TEST(OnnxImport, refuses_a_fused_activation_that_it_does_not_know) {
  const auto g = fused_gemm("Swoosh").import();
  ASSERT_FALSE(g.ok());
  EXPECT_NE(g.error().line().find("Swoosh"), std::string::npos);
}

TEST(OnnxImport, reads_a_choice_between_codes_of_two_scales_as_codes_of_a_third) {
  ModelBuilder m;
  auto* domain = m.model.add_opset_import();
  domain->set_domain("com.microsoft");
  domain->set_version(1);
  m.input("c", {2}, onnx::TensorProto::BOOL).input("x", {2}, onnx::TensorProto::UINT8).input("z", {2}, onnx::TensorProto::UINT8).output("y");
  m.constant<float>("one", {}, {1}, onnx::TensorProto::FLOAT).constant<float>("two", {}, {2}, onnx::TensorProto::FLOAT);
  m.constant<std::uint8_t>("zero", {}, {0}, onnx::TensorProto::UINT8).constant<std::uint8_t>("ten", {}, {10}, onnx::TensorProto::UINT8);
  m.node("QLinearWhere", {"c", "x", "two", "zero", "z", "one", "ten", "one", "zero"}, {"y"}).set_domain("com.microsoft");
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  const auto executor = Executor::make(*g, *find_arithmetic("ort-noopt"));
  ASSERT_TRUE(executor.ok()) << executor.error().line();
  Tensor condition(DType::boolean, {2});
  condition.set_code(0, 1);
  const auto bytes = [](std::vector<std::uint8_t> v) { return Tensor::of<std::uint8_t>({2}, v); };
  const Sample feed{{"c", condition}, {"x", bytes({100, 1})}, {"z", bytes({1, 30})}};
  const std::vector<std::string> wanted{"y"};
  const auto capture = executor->run({&feed, 1}, wanted);
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  EXPECT_EQ(capture->samples[0].at("y"), bytes({200, 20}));
}

}  // namespace
}  // namespace lockstep
