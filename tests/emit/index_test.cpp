// C for computed indices where tensors have no element.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/generated_network.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

Value value(const std::string& name, DType type, Shape shape) {
  Value v;
  v.name = name, v.dtype = type, v.shape = std::move(shape);
  return v;
}

Value constant(const std::string& name, Tensor t) {
  Value v = value(name, t.dtype(), t.shape());
  v.constant = std::make_shared<const Tensor>(std::move(t));
  return v;
}

// One node, and another one `beside` it that has elements.
Graph network(const std::string& op, const std::vector<Value>& inputs, Shape y, Attrs attrs = {},
              bool beside = true) {
  GraphBuilder b("empty", "onnx");
  Node n;
  n.op = op, n.name = op, n.attrs = std::move(attrs);
  for (const Value& v : inputs) {
    n.inputs.push_back(b.add_value(v));
    if (!v.constant) b.add_input(n.inputs.back());
  }
  n.outputs = {b.add_value(value("y", DType::f32, std::move(y)))};
  b.add_output(n.outputs[0]);
  b.add_node(std::move(n));
  if (beside) {
    Node relu;
    relu.op = "Relu", relu.name = "beside";
    relu.inputs = {b.add_value(value("u0", DType::f32, {4}))};
    relu.outputs = {b.add_value(value("u1", DType::f32, {4}))};
    b.add_input(relu.inputs[0]), b.add_output(relu.outputs[0]);
    b.add_node(std::move(relu));
  }
  auto graph = std::move(b).finish();
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
  return std::move(graph).value();
}

Attrs attribute(const std::string& name, std::int64_t v) {
  Attrs attrs;
  attrs.set(name, v);
  return attrs;
}

// The C compiles and answers as the executor does.
void expect_equal(const Graph& g) {
  const auto executor = Executor::make(g, *find_arithmetic("ort"));
  ASSERT_TRUE(executor.ok()) << executor.error().line();
  const auto made = generate(*executor, {});
  ASSERT_TRUE(made.ok()) << made.error().line();
  const test::TemporaryFolder folder;
  for (const GeneratedFile& f : made->files) ASSERT_TRUE(write_file(folder / f.path, f.text).ok());
  const auto inputs = generated_inputs(executor->graph(), 1, 7);
  auto target = open_target("c:" + (folder / ""), {g, executor->arithmetic()});
  ASSERT_TRUE(target.ok()) << target.error().line();
  const auto device = (*target)->run(inputs, {});
  ASSERT_TRUE(device.ok()) << device.error().line();
  const test::Compared c = test::compare(*executor->run(inputs), *device);
  EXPECT_EQ(c.different, 0) << c.first;
  EXPECT_GE(c.tensors, 2);
}

TEST(IndexedC, gathers_from_no_batch_divide_by_nothing) {
  const Value x = value("x", DType::f32, {0, 3});
  expect_equal(
      network("GatherND", {x, value("i", DType::i64, {0, 1})}, {0}, attribute("batch_dims", 1)));
  Attrs attrs = attribute("batch_dims", 1);
  attrs.set("axis", std::int64_t{1});
  expect_equal(network("Gather", {x, value("i", DType::i64, {0, 2})}, {0, 2}, attrs));
}

TEST(IndexedC, one_hot_codes_over_an_empty_axis_divide_by_nothing) {
  expect_equal(
      network("OneHot",
              {value("i", DType::i64, {2, 0}), constant("depth", Tensor::scalar(std::int64_t{5})),
               constant("values", Tensor::of<float>({2}, std::vector<float>{0, 1}))},
              {5, 2, 0}, attribute("axis", 0)));
}

TEST(IndexedC, updates_of_rows_without_elements_leave_them_so) {
  expect_equal(network("ScatterND",
                       {value("x", DType::f32, {4, 0}), value("i", DType::i64, {2, 1}),
                        value("u", DType::f32, {2, 0})},
                       {4, 0}));
}

TEST(IndexedC, normalization_of_no_channel_divides_by_nothing) {
  std::vector<Value> inputs{value("x", DType::f32, {1, 0, 2, 2})};
  for (int i = 0; i < 4; ++i)
    inputs.push_back(constant("c" + std::to_string(i), Tensor(DType::f32, {0})));
  expect_equal(network("BatchNormalization", inputs, {1, 0, 2, 2}));
}

TEST(IndexedC, a_network_without_any_element_is_refused_in_one_line) {
  const Graph g =
      network("GatherND", {value("x", DType::f32, {0, 3}), value("i", DType::i64, {0, 1})}, {0},
              attribute("batch_dims", 1), false);
  const auto executor = Executor::make(g, *find_arithmetic("ort"));
  ASSERT_TRUE(executor.ok()) << executor.error().line();
  const auto made = generate(*executor, {});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().what, "no tensor has an element");
}

}  // namespace
}  // namespace lockstep
