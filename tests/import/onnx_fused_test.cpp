#include <gtest/gtest.h>

#include "import/onnx_builder.h"

namespace lockstep {
namespace {

using test::floats, test::OnnxBuilder, test::run_float, test::set_text;

// onnxruntime's own operators are read as those that its optimizer joined: 2 and -1 are 170 and -85
// steps of 3/255.
TEST(OnnxImport, reads_a_product_that_codes_its_operand_on_the_fly) {
  OnnxBuilder m;
  m.model.add_opset_import()->set_domain("com.microsoft");
  m.model.mutable_opset_import(1)->set_version(1);
  m.input("x", {1, 2})
      .output("y")
      .constant<std::int8_t>("w", {2, 1}, {1, 2}, onnx::TensorProto::INT8);
  m.constant<float>("s", {}, {0.5f}, onnx::TensorProto::FLOAT)
      .constant<float>("b", {1}, {10}, onnx::TensorProto::FLOAT);
  m.node("DynamicQuantizeMatMul", {"x", "w", "s", "", "b"}, {"y"}).set_domain("com.microsoft");
  const auto g = m.import();
  ASSERT_TRUE(g.ok()) << g.error().line();
  EXPECT_EQ(run_float(*g, {{"x", floats({1, 2}, {2, -1})}}, "y").as<float>()[0], 10 + 0.0f);
}

TEST(OnnxImport, refuses_a_fused_product_whose_factor_meets_parts_of_sums) {
  OnnxBuilder m;
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

OnnxBuilder fused_gemm(const std::string& activation) {
  OnnxBuilder m;
  auto* domain = m.model.add_opset_import();
  domain->set_domain("com.microsoft");
  domain->set_version(1);
  m.input("x", {1, 2})
      .output("y")
      .constant<float>("w", {2, 2}, {1, 2, -3, -4}, onnx::TensorProto::FLOAT);
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
  OnnxBuilder m = fused_gemm("Clip");
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
  OnnxBuilder m;
  auto* domain = m.model.add_opset_import();
  domain->set_domain("com.microsoft");
  domain->set_version(1);
  m.input("c", {2}, onnx::TensorProto::BOOL)
      .input("x", {2}, onnx::TensorProto::UINT8)
      .input("z", {2}, onnx::TensorProto::UINT8)
      .output("y");
  m.constant<float>("one", {}, {1}, onnx::TensorProto::FLOAT)
      .constant<float>("two", {}, {2}, onnx::TensorProto::FLOAT);
  m.constant<std::uint8_t>("zero", {}, {0}, onnx::TensorProto::UINT8)
      .constant<std::uint8_t>("ten", {}, {10}, onnx::TensorProto::UINT8);
  m.node("QLinearWhere", {"c", "x", "two", "zero", "z", "one", "ten", "one", "zero"}, {"y"})
      .set_domain("com.microsoft");
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
