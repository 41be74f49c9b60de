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

// A pool over 6 elements at a stride of 3 between codes of scale 0.5 and `scale`, or bare.
std::string refusal_of_pool(const char* op, std::int64_t extent, float scale, bool coded,
                            const char* arithmetic = "ort", std::int64_t channels = 1) {
  GraphBuilder b("m.onnx", "onnx");
  const auto value = [&](const std::string& name, DType dtype, std::int64_t n) {
    Value v;
    v.name = name, v.dtype = dtype, v.shape = {1, channels, 1, n};
    return b.add_value(std::move(v));
  };
  const auto node = [&](const std::string& kind, const std::string& name,
                        std::vector<ValueId> inputs, ValueId output) {
    Node n;
    n.op = kind, n.name = name, n.inputs = std::move(inputs), n.outputs = {output};
    return b.add_node(std::move(n));
  };
  const auto constant = [&](const std::string& name, float number) {
    Value v;
    v.name = name, v.constant = std::make_shared<const Tensor>(Tensor::scalar(number));
    return b.add_value(std::move(v));
  };
  ValueId x = value("x", coded ? DType::i8 : DType::f32, 6), y = value("y", DType::f32, 2);
  b.add_input(x);
  if (coded) {
    const ValueId reals = value("reals", DType::f32, 6);
    node("DequantizeLinear", "dx", {x, constant("before", 0.5f)}, reals);
    x = reals;
  }
  Node& pool = b.node(node(op, "pool", {x}, y));
  pool.attrs.set("kernel_shape", std::vector<std::int64_t>{1, extent});
  pool.attrs.set("strides", std::vector<std::int64_t>{1, 3});
  pool.attrs.set("auto_pad", std::string("SAME_UPPER"));
  if (coded) {
    const ValueId codes = value("codes", DType::i8, 2);
    node("QuantizeLinear", "qy", {y, constant("behind", scale)}, codes);
    y = codes;
  }
  b.add_output(y);
  const auto g = std::move(b).finish();
  EXPECT_TRUE(g.ok()) << (g.ok() ? "" : g.error().line());
  return find_arithmetic(arithmetic)->unsupported({*g, g->node(g->find_node("pool"))});
}

TEST(OrtArithmetic, refuses_pools_of_floats_that_would_pad_by_a_negative_number) {
  EXPECT_NE(refusal_of_pool("MaxPool", 1, 0, false).find("negative pads"), std::string::npos);
  EXPECT_NE(refusal_of_pool("AveragePool", 1, 0, false), "");
  EXPECT_EQ(refusal_of_pool("MaxPool", 3, 0, false), "");
  EXPECT_EQ(refusal_of_pool("MaxPool", 1, 0.5f, true), "");
  EXPECT_NE(refusal_of_pool("MaxPool", 1, 0.25f, true), "");
  EXPECT_NE(refusal_of_pool("MaxPool", 1, 0.5f, true, "ort-noopt"), "");
  EXPECT_EQ(refusal_of_pool("MaxPool", 1, 0, false, "ort", 16), "");
  EXPECT_NE(refusal_of_pool("MaxPool", 1, 0, false, "ort-noopt", 16), "");
}

}  // namespace
}  // namespace lockstep
