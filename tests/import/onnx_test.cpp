#include <gtest/gtest.h>

#include "import/onnx_builder.h"

namespace lockstep {
namespace {

using test::floats, test::OnnxBuilder, test::run_float, test::running_sum, test::set_int,
    test::doubling;

TEST(OnnxImport, names_tensors_as_the_file_does_and_nodes_without_a_name_by_what_they_make) {
  OnnxBuilder m;
  m.input("x", {1, 2}).output("y").node("Relu", {"x"}, {"y"}).clear_name();
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(g->node(0).name, "Relu:y");
  EXPECT_NE(g->find_value("x"), no_id);
  EXPECT_EQ(g->value(g->outputs()[0]).origin.node, "Relu:y");
}

TEST(OnnxImport, puts_one_for_symbolic_extents_or_what_the_options_say) {
  OnnxBuilder m;
  m.input("x", {0, 2}).output("y").node("Relu", {"x"}, {"y"});
  m.model.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->set_dim_param("n");
  EXPECT_EQ(m.import()->value(0).shape, (Shape{1, 2}));
  EXPECT_EQ(m.import({.dimensions = {{"n", 5}}})->value(0).shape, (Shape{5, 2}));
  EXPECT_EQ(m.import({.dimensions = {{"x[0]", 6}}})->value(0).shape, (Shape{6, 2}));
  EXPECT_EQ(m.import({.dimensions = {}, .suggested = {{"x[0]", 6}}})->value(0).shape, (Shape{1, 2}))
      << "a batch stays 1";
  m.model.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->clear_value();
  EXPECT_EQ(m.import({.dimensions = {{"x[0]", 7}}})->value(0).shape, (Shape{7, 2}));
  EXPECT_EQ(m.import({.dimensions = {}, .suggested = {{"x[0]", 7}, {"z[3]", 2}}})->value(0).shape,
            (Shape{7, 2}));
}

TEST(OnnxImport, refuses_an_extent_for_a_dimension_that_the_model_does_not_leave_open) {
  OnnxBuilder m;
  m.input("x", {0, 2}).output("y").node("Relu", {"x"}, {"y"});
  m.model.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->set_dim_param("batch");
  for (const char* name : {"bacth", "x[1]", "y[0]"}) {
    const auto g = m.import({.dimensions = {{name, 5}}});
    ASSERT_FALSE(g.ok()) << name;
    EXPECT_EQ(g.error().where, "--dim " + std::string(name));
    EXPECT_EQ(g.error().want, "one of batch, x[0]");
  }
  EXPECT_EQ(m.import({.dimensions = {{"bacth", 5}}}).error().hint, "did you mean 'batch'?");
}

TEST(OnnxImport, notes_scale_and_zero_point_on_the_codes) {
  OnnxBuilder m;
  m.input("x", {3}).output("y");
  m.constant<float>("s", {}, {0.5f}, onnx::TensorProto::FLOAT)
      .constant<std::int8_t>("z", {}, {3}, onnx::TensorProto::INT8);
  m.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  m.node("DequantizeLinear", {"q", "s", "z"}, {"y"});
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(g->value(g->find_value("q")).quant, (QuantParams{{0.5}, {3}, -1}));
  EXPECT_FALSE(g->value(g->find_value("y")).quant.quantized());
}

TEST(OnnxImport, notes_one_scale_per_channel_of_dequantized_weights) {
  OnnxBuilder m;
  m.output("y").constant<std::int8_t>("w", {2, 1}, {1, 2}, onnx::TensorProto::INT8);
  m.constant<float>("s", {2}, {0.5f, 0.25f}, onnx::TensorProto::FLOAT);
  set_int(m.node("DequantizeLinear", {"w", "s"}, {"y"}), "axis", -2);
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(g->value(g->find_value("w")).quant, (QuantParams{{0.5, 0.25}, {0, 0}, 0}));
}

TEST(OnnxImport, folds_arithmetic_on_shapes) {  // reshape to [shape(x)[0], -1]
  OnnxBuilder m;
  m.input("x", {2, 3, 4}).output("y");
  m.constant<std::int64_t>("zero", {1}, {0}, onnx::TensorProto::INT64)
      .constant<std::int64_t>("rest", {1}, {-1}, onnx::TensorProto::INT64);
  m.node("Shape", {"x"}, {"shape"});
  m.node("Gather", {"shape", "zero"}, {"batch"});
  set_int(m.node("Concat", {"batch", "rest"}, {"target"}), "axis", 0);
  m.node("Reshape", {"x", "target"}, {"y"});
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(g->value(g->outputs()[0]).shape, (Shape{2, 12}));
  EXPECT_EQ(g->nodes().size(), 1u);
}

TEST(OnnxImport, a_node_whose_first_output_has_no_name_computes_the_others) {
  OnnxBuilder m;
  m.input("x", {1, 4}).output("b");
  set_int(m.node("Split", {"x"}, {"", "b"}), "axis", 1);
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  ASSERT_NE(g->nodes()[0].outputs[0], no_id);
  EXPECT_EQ(g->value(g->nodes()[0].outputs[0]).shape, (Shape{1, 2}));
  EXPECT_EQ(run_float(*g, {{"x", floats({1, 4}, {1, 2, 3, 4})}}, "b"), floats({1, 2}, {3, 4}));
}

TEST(OnnxImport, unrolls_a_scan) {
  const auto g = running_sum().import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  const Sample in = {{"start", floats({1}, {10})}, {"x", floats({3, 1}, {1, 2, 4})}};
  EXPECT_EQ(run_float(*g, in, "last"), floats({1}, {17}));
  EXPECT_EQ(run_float(*g, in, "sums"), floats({3, 1}, {11, 13, 17}));
}

TEST(OnnxImport, unrolls_a_loop_of_constant_trip_count) {
  const auto g = doubling(true).import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(run_float(*g, {{"start", floats({1}, {5})}}, "last"), floats({1}, {40}));
}

TEST(OnnxImport, unpacks_four_bit_weights_and_says_so_at_their_dequantizer) {
  for (const int type : {21, 22}) {  // uint4, int4
    OnnxBuilder m;
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

// 7.5 and -9 steps of int4: the codes end at 7 and -8, also where the file's reals are coded while
// it is read.
TEST(OnnxImport, codes_of_four_bits_saturate_at_four_bits) {
  for (const int type : {21, 22}) {  // uint4, int4
    OnnxBuilder m;
    m.output("y").constant<float>("x", {3}, {8, -9, 1.5f}, onnx::TensorProto::FLOAT);
    m.constant<float>("s", {}, {1}, onnx::TensorProto::FLOAT)
        .constant<std::uint8_t>("z", {}, {static_cast<std::uint8_t>(type == 21 ? 8 : 0)}, type);
    m.node("QuantizeLinear", {"x", "s", "z"}, {"codes"});
    m.node("DequantizeLinear", {"codes", "s", "z"}, {"y"});
    const auto g = m.import();
    ASSERT_TRUE(g.ok()) << g.error().line();
    const auto executor = Executor::make(*g, *find_arithmetic("ort-noopt"));
    ASSERT_TRUE(executor.ok()) << executor.error().line();
    const auto capture = executor->run(std::vector{Sample{}}, {});
    ASSERT_TRUE(capture.ok()) << capture.error().line();
    EXPECT_EQ(capture->samples[0].at("y"), floats({3}, {7, -8, 2}));
    EXPECT_EQ(g->nodes().back().op, "DequantizeLinear");
    EXPECT_EQ(g->nodes().back().attrs.integer("bits", 8), 4);
  }
}

// x = 2, alpha = 0.5: 2 / (1 + e^-1)
TEST(OnnxImport, reads_swish_as_its_three_steps) {
  OnnxBuilder m;
  m.input("x", {1}).output("y");
  auto* const alpha = m.node("Swish", {"x"}, {"y"}).add_attribute();
  alpha->set_name("alpha");
  alpha->set_type(onnx::AttributeProto::FLOAT);
  alpha->set_f(0.5f);
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(g->nodes().size(), 3u);
  EXPECT_NEAR(run_float(*g, {{"x", floats({1}, {2})}}, "y").number(0), 1.4621172, 1e-6);
}

// The file's node makes the file's codes: it is the Clip that bears its name, so that nothing is
// said of another node.
TEST(OnnxImport, codes_of_four_bits_are_made_by_the_node_of_that_name) {
  OnnxBuilder m;
  m.input("x", {3})
      .output("y")
      .constant<float>("s", {}, {1}, onnx::TensorProto::FLOAT)
      .constant<std::uint8_t>("z", {}, {1}, 22);
  m.node("QuantizeLinear", {"x", "s", "z"}, {"codes"}).set_name("qn");
  m.node("DequantizeLinear", {"codes", "s", "z"}, {"y"});
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(g->node(g->value(g->find_value("codes")).producer).name, "qn");
}

TEST(OnnxImport, an_output_dtype_that_is_no_type_of_codes_or_not_the_zero_points_is_refused) {
  const auto error = [](int type, int zero) {  // zero: its type, 0 for none
    OnnxBuilder m(21);
    m.input("x", {3}).output("y").constant<float>("s", {}, {1}, onnx::TensorProto::FLOAT);
    if (zero != 0) m.constant<std::uint8_t>("z", {}, {1}, zero);
    set_int(m.node("QuantizeLinear",
                   zero != 0 ? std::vector<std::string>{"x", "s", "z"}
                             : std::vector<std::string>{"x", "s"},
                   {"y"}),
            "output_dtype", type);
    const auto g = m.import();
    return g.ok() ? std::string() : g.error().line();
  };
  for (const int type : {1, 6, 17, 23, 25, 26, 99, -1})
    EXPECT_NE(error(type, 0).find("output_dtype " + std::to_string(type)), std::string::npos)
        << type;
  for (const int type : {2, 3, 4, 5, 21, 22}) EXPECT_EQ(error(type, 0), "");
  for (const int type : {2, 3, 21, 22})
    for (const int zero : {2, 3, 21, 22})
      EXPECT_EQ(error(type, zero).empty(), type == zero) << type << " " << zero;
}

// A bias [1, 4] with four scales along axis 0, also said to be -2: the Gemm that reads it is taken,
// another reader is not, nor is the row where it is computed as written.
TEST(OnnxImport, scales_of_a_bias_row_along_axis_0_are_those_of_its_columns_for_a_gemm_alone) {
  const auto import = [](const std::string& reader, std::int64_t axis) {
    OnnxBuilder m;
    m.input("x", {2, 4})
        .output("y")
        .constant<std::int32_t>("b", {1, 4}, {1, 2, 3, 4}, onnx::TensorProto::INT32);
    m.constant<float>("s", {4}, {1, 2, 3, 4}, onnx::TensorProto::FLOAT)
        .constant<float>("w", {4, 4}, std::vector<float>(16, 1), onnx::TensorProto::FLOAT);
    set_int(m.node("DequantizeLinear", {"b", "s"}, {"bd"}), "axis", axis);
    m.node(reader,
           reader == "Gemm" ? std::vector<std::string>{"x", "w", "bd"}
                            : std::vector<std::string>{"x", "bd"},
           {"y"});
    return m.import();
  };
  for (const std::int64_t axis : {0, -2}) {
    const auto gemm = import("Gemm", axis);
    ASSERT_TRUE(gemm.ok()) << gemm.error().line();
    EXPECT_EQ(gemm->value(gemm->find_value("b")).quant,
              (QuantParams{{1, 2, 3, 4}, {0, 0, 0, 0}, 1}));
    const auto run = Executor::make(*gemm, *find_arithmetic("ort-noopt"));
    ASSERT_FALSE(run.ok());
    EXPECT_NE(run.error().line().find("axis 0"), std::string::npos) << run.error().line();
    EXPECT_FALSE(import("Add", axis).ok());
  }
  EXPECT_TRUE(import("Add", 1).ok());
}

}  // namespace
}  // namespace lockstep
