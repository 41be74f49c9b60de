#include "run/recording_names.h"

#include <gtest/gtest.h>

#include "run/recording.h"

namespace lockstep {
namespace {

// As a TFLite converter names tensors: the result of a layer bears the names of all that was fused
// into it, the first or last of which its weights bear as well.
constexpr const char* conv =
    "functional_1/conv2d_1/Relu;functional_1/conv2d_1/BiasAdd;functional_1/conv2d_1/convolution";
constexpr const char* dense = "functional_1/dense_1/MatMul;functional_1/dense_1/BiasAdd";

Graph of_keras(const std::string& format = "tflite") {
  GraphBuilder g("m." + format, format);
  const auto value = [&](const std::string& name, Shape shape) {
    Value v;
    v.name = name;
    v.shape = std::move(shape);
    return g.add_value(v);
  };
  const ValueId x = value("serving_default_x:0", {1, 4}), a = value(conv, {1, 6}),
                b = value(dense, {1, 5});
  // The first part tells whose name it is.
  const ValueId sum = value("functional_1/add_1/Add;functional_1/conv2d_1/Relu", {1, 6});
  Value w;
  w.name = "functional_1/dense_1/MatMul";
  w.shape = {5, 6};
  w.constant = std::make_shared<const Tensor>(DType::f32, Shape{5, 6});
  const ValueId weights = g.add_value(w);
  const auto node = [&](const std::string& name, std::vector<ValueId> inputs, ValueId out) {
    Node n;
    n.name = name;
    n.op = "Relu";
    n.inputs = std::move(inputs);
    n.outputs = {out};
    g.add_node(n);
  };
  node("CONV_2D_0", {x}, a);
  node("ADD_2", {a}, sum);
  node("FULLY_CONNECTED_1", {a, weights}, b);
  g.add_input(x);
  g.add_output(b);
  return std::move(std::move(g).finish()).value();
}

std::string found(const std::string& name) {
  const Graph g = of_keras();
  const ValueId id = ModelNames(g).meant(name);
  return id == no_id ? "" : g.value(id).name;
}

TEST(ModelNames, names_that_files_cannot_hold_are_known_by_a_part) {
  EXPECT_EQ(found("functional_1/conv2d_1/Relu"), conv);
  EXPECT_EQ(found("functional_1_dense_1_BiasAdd"), dense);
  EXPECT_EQ(found("FULLY_CONNECTED_1"), dense);
  EXPECT_EQ(found("functional_1_conv2d_1_Relu_functional_1_conv2d_1_Bi"), conv);
  EXPECT_EQ(found("functional_1"), "");                   // too short to tell
  EXPECT_EQ(found("functional_1/dense_1/MatMul_x"), "");  // no beginning of any
}

TEST(ModelNames, a_node_stands_for_what_it_makes_in_every_format) {
  const Graph g = of_keras("onnx");
  EXPECT_EQ(ModelNames(g).meant("CONV_2D_0"), g.find_value(conv));
}

TEST(ModelNames, a_layers_result_under_the_name_of_its_weights_is_told_by_its_size) {
  const Graph g = of_keras();
  Recording r;
  r.source = "c.npz";
  r.arrays.push_back({"functional_1/dense_1/MatMul", Tensor(DType::f32, {3, 5}), {}, {}, -1});
  const auto capture = capture_from(r, g);
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  EXPECT_EQ(capture->order, std::vector<std::string>{dense});
  EXPECT_EQ(capture->samples.size(), 3u);
}

}  // namespace
}  // namespace lockstep
