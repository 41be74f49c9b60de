#include "npu/standing.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

struct Case {
  std::string what, op;
  Shape x, w;
  double bias;  // 0: without
  bool quantized;
  NpuStanding want;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.what;
}

Graph one_node(const Case& c) {
  GraphBuilder b("one", "onnx");
  const auto value = [&](const std::string& name, const Shape& shape, DType dtype) {
    Value v;
    v.name = name, v.dtype = dtype, v.shape = shape;
    if (is_integer(dtype)) v.quant = {{0.1}, {0}, -1};
    return b.add_value(v);
  };
  const auto constant = [&](const std::string& name, const Shape& shape, DType dtype,
                            double content) {
    const ValueId id = value(name, shape, dtype);
    auto t = std::make_shared<Tensor>(dtype, shape);
    for (std::int64_t i = 0; i < t->count(); ++i) t->set_number(i, content);
    b.value(id).constant = t;
    return id;
  };
  const DType codes = c.quantized ? DType::i8 : DType::f32;
  Node node;
  node.name = "n", node.op = c.op;
  node.inputs = {value("x", c.x, codes)};
  b.add_input(node.inputs[0]);
  Shape y = c.x;
  if (!c.w.empty()) {
    y[1] = c.w[0];
    node.inputs.push_back(constant("w", c.w, codes, 1));
    if (c.w[1] != c.x[1]) node.attrs.set("group", c.x[1]);
  }
  if (c.bias != 0) node.inputs.push_back(constant("b", {c.w[0]}, DType::i32, c.bias));
  node.outputs = {value("y", y, codes)};
  b.add_output(node.outputs[0]);
  b.add_node(node);
  auto graph = std::move(b).finish();
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
  return std::move(graph).value();
}

class NpuStandingOf : public testing::TestWithParam<Case> {};

TEST_P(NpuStandingOf, IsWhatItWasComparedWith) {
  const Graph g = one_node(GetParam());
  EXPECT_EQ(name_of(standing_of(g, g.nodes()[0])), name_of(GetParam().want));
}

const Shape image = {1, 16, 4, 4};
constexpr auto proven = NpuStanding::proven;
constexpr auto inferred = NpuStanding::inferred;
constexpr auto assumed = NpuStanding::assumed;

INSTANTIATE_TEST_SUITE_P(
    Operations, NpuStandingOf,
    testing::Values(
        Case{"convolution without bias", "Conv", image, {8, 16, 1, 1}, 0, true, proven},
        Case{"convolution with bias", "Conv", image, {8, 16, 1, 1}, 7, true, inferred},
        Case{"depthwise", "Conv", image, {16, 1, 1, 1}, 0, true, proven},
        Case{"channels in several passes",
             "Conv",
             {1, 512, 4, 4},
             {8, 512, 1, 1},
             0,
             true,
             inferred},
        Case{"the CPU's convolution", "Conv", {1, 130, 4, 4}, {8, 130, 1, 1}, 0, true, assumed},
        Case{"float convolution", "Conv", image, {8, 16, 1, 1}, 0, false, assumed},
        Case{"Relu of codes", "Relu", image, {}, 0, true, proven},
        Case{"another operation on codes", "Sigmoid", image, {}, 0, true, assumed},
        Case{"float operation", "Sigmoid", image, {}, 0, false, assumed}));

// A ReduceMean over `axes`, as attribute or as operand.
Graph mean_over(const std::string& format, const std::vector<std::int64_t>& axes, bool operand) {
  GraphBuilder b("mean", format);
  Value v;
  v.dtype = DType::i8, v.quant = {{0.1}, {0}, -1};
  v.name = "x", v.shape = {1, 4, 4, 4};
  Node node;
  node.name = "n", node.op = "ReduceMean";
  node.inputs = {b.add_value(v)};
  b.add_input(node.inputs[0]);
  if (operand) {
    Value a;
    a.name = "axes", a.dtype = DType::i64, a.shape = {static_cast<std::int64_t>(axes.size())};
    auto t = std::make_shared<Tensor>(a.dtype, a.shape);
    for (std::size_t i = 0; i < axes.size(); ++i)
      t->set_code(static_cast<std::int64_t>(i), axes[i]);
    a.constant = t;
    node.inputs.push_back(b.add_value(a));
  } else {
    node.attrs.set("axes", axes);
  }
  v.name = "y";
  for (const std::int64_t a : axes) v.shape[static_cast<std::size_t>(a < 0 ? a + 4 : a)] = 1;
  node.outputs = {b.add_value(v)};
  b.add_output(node.outputs[0]);
  b.add_node(node);
  auto graph = std::move(b).finish();
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
  return std::move(graph).value();
}

TEST(NpuStandingOfMeans, OnlyTheWholeMapIsTheGlobalAverageThatBoardsWereComparedWith) {
  const auto standing = [](const std::string& format, const std::vector<std::int64_t>& axes,
                           bool operand) {
    const Graph g = mean_over(format, axes, operand);
    return name_of(standing_of(g, g.nodes()[0]));
  };
  for (const bool operand : {false, true}) {
    EXPECT_EQ(standing("onnx", {2, 3}, operand), "proven");
    EXPECT_EQ(standing("onnx", {-1, -2}, operand), "proven");
    EXPECT_EQ(standing("tflite", {1, 2}, operand), "proven");
    EXPECT_EQ(standing("onnx", {1}, operand), "assumed");
    EXPECT_EQ(standing("onnx", {1, 2}, operand), "assumed");
    EXPECT_EQ(standing("onnx", {1, 2, 3}, operand), "assumed");
    EXPECT_EQ(standing("tflite", {2, 3}, operand), "assumed");
  }
}

}  // namespace
}  // namespace lockstep
