#include <gtest/gtest.h>

#include "arith/arith.h"
#include "ir/graph.h"

namespace lockstep {
namespace {

TEST(OrtArithmetic, names_the_exact_runtime_it_equals) {
  const Arithmetic* a = find_arithmetic("ort");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->version, "1.30.0");
  EXPECT_NE(a->numerics->quantize, nullptr);
  EXPECT_NE(a->numerics->real.convolution, nullptr);
}

// x [1, 4], a product with dequantized int8 weights [4, 2]; the activation behind a dequantizer of
// its own, or not.
std::string refusal_of(const char* op, bool coded_x, std::int64_t transposed) {
  GraphBuilder b("m.onnx", "onnx");
  const auto value = [&](const std::string& name, DType dtype, Shape shape,
                         std::shared_ptr<const Tensor> constant = nullptr) {
    Value v;
    v.name = name, v.dtype = dtype, v.shape = std::move(shape), v.constant = std::move(constant);
    return b.add_value(std::move(v));
  };
  const auto node = [&](const std::string& kind, const std::string& name,
                        std::vector<ValueId> inputs, ValueId output) {
    Node n;
    n.op = kind, n.name = name, n.inputs = std::move(inputs), n.outputs = {output};
    return b.add_node(std::move(n));
  };
  const ValueId scale =
      value("scale", DType::f32, {}, std::make_shared<const Tensor>(Tensor::scalar(0.5f)));
  ValueId x = value("x", coded_x ? DType::i8 : DType::f32, {1, 4});
  b.add_input(x);
  if (coded_x) {
    const ValueId reals = value("reals", DType::f32, {1, 4});
    node("DequantizeLinear", "dx", {x, scale}, reals);
    x = reals;
  }
  const Shape shape = transposed ? Shape{2, 4} : Shape{4, 2};
  const ValueId codes =
      value("codes", DType::i8, shape, std::make_shared<const Tensor>(DType::i8, shape));
  const ValueId w = value("w", DType::f32, shape), y = value("y", DType::f32, {1, 2});
  node("DequantizeLinear", "dw", {codes, scale}, w);
  const NodeId product = node(op, "product", {x, w}, y);
  if (transposed) b.node(product).attrs.set("transB", transposed);
  b.add_output(y);
  const auto g = std::move(b).finish();
  EXPECT_TRUE(g.ok()) << (g.ok() ? "" : g.error().line());
  return find_arithmetic("ort")->unsupported({*g, g->node(g->find_node("product"))});
}

TEST(OrtArithmetic, refuses_a_product_with_weights_only_in_codes_by_the_runtimes_name_for_it) {
  EXPECT_NE(refusal_of("MatMul", false, 0).find("MatMulNBits"), std::string::npos);
  EXPECT_NE(refusal_of("Gemm", false, 0).find("MatMulNBits"), std::string::npos);
  EXPECT_EQ(refusal_of("MatMul", true, 0), "");
  EXPECT_EQ(refusal_of("Gemm", false, 1), "");
}

}  // namespace
}  // namespace lockstep
