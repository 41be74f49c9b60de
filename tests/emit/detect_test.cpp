// C for the end of detectors, where many boxes overlap and many scores are equal.
#include <gtest/gtest.h>

#include "support/generated_network.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

constexpr std::int64_t boxes = 500, classes = 4;

// One node, its inputs x0, x1, ... and its constants behind them.
Graph network(const std::string& op, const std::vector<Shape>& inputs,
              const std::vector<Tensor>& constants, const Attrs& attrs,
              const std::vector<std::pair<DType, Shape>>& results) {
  GraphBuilder b("detector", "onnx");
  Node n;
  n.op = n.name = op, n.attrs = attrs;
  const auto add = [&](const std::string& name, DType type, const Shape& shape) {
    Value v;
    v.name = name, v.dtype = type, v.shape = shape;
    return b.add_value(std::move(v));
  };
  for (const Shape& s : inputs) {
    n.inputs.push_back(add("x" + std::to_string(n.inputs.size()), DType::f32, s));
    b.add_input(n.inputs.back());
  }
  for (const Tensor& t : constants) {
    n.inputs.push_back(add("c" + std::to_string(n.inputs.size()), t.dtype(), t.shape()));
    b.value(n.inputs.back()).constant = std::make_shared<const Tensor>(t);
  }
  for (const auto& [type, shape] : results) {
    n.outputs.push_back(add("y" + std::to_string(n.outputs.size()), type, shape));
    b.add_output(n.outputs.back());
  }
  b.add_node(std::move(n));
  auto graph = std::move(b).finish();
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
  return std::move(graph).value();
}

// Values of a few steps from a number that goes round.
Tensor stepped(const Shape& shape, std::int64_t values, float step) {
  Tensor t(DType::f32, shape);
  std::uint32_t state = 17;
  for (float& v : t.as<float>()) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<float>((state >> 16) % static_cast<std::uint32_t>(values)) * step;
  }
  return t;
}

// The C yields the executor's tensors, dead bytes poisoned; returns the reference's.
Sample expect_equal(const Graph& g, const char* arithmetic, const Sample& sample) {
  const auto executor = Executor::make(g, *find_arithmetic(arithmetic));
  EXPECT_TRUE(executor.ok()) << executor.error().line();
  const auto made = generate(*executor, {});
  EXPECT_TRUE(made.ok()) << made.error().line();
  const test::TemporaryFolder folder;
  for (const GeneratedFile& f : made->files) EXPECT_TRUE(write_file(folder / f.path, f.text).ok());
  auto target = open_target("c:" + (folder / "") + ",poison=on", {g, executor->arithmetic()});
  EXPECT_TRUE(target.ok()) << target.error().line();
  const auto device = (*target)->run(std::span(&sample, 1), {});
  EXPECT_TRUE(device.ok()) << device.error().line();
  const auto reference = executor->run(std::span(&sample, 1));
  EXPECT_TRUE(reference.ok());
  const test::Compared c = test::compare(*reference, *device);
  EXPECT_EQ(c.different, 0) << c.first;
  EXPECT_GE(c.tensors, std::ssize(g.outputs()));
  return reference->samples[0];
}

TEST(DetectorC, boxes_of_equal_scores_stay_in_the_order_of_the_reference) {
  Attrs attrs;
  attrs.set("center_point_box", std::int64_t{1});
  const Graph g = network("NonMaxSuppression", {{1, boxes, 4}, {1, classes, boxes}},
                          {Tensor::of<std::int64_t>({1}, std::vector<std::int64_t>{50}),
                           Tensor::of<float>({1}, std::vector<float>{0.3f}),
                           Tensor::of<float>({1}, std::vector<float>{0.2f})},
                          attrs, {{DType::i64, {classes * 50, 3}}});
  const Sample y = expect_equal(
      g, "ort",
      {{"x0", stepped({1, boxes, 4}, 40, 0.25f)}, {"x1", stepped({1, classes, boxes}, 5, 0.125f)}});
  EXPECT_EQ(y.at("y0").code(3 * 49), 0) << "fifty stay of the first class";
}

Graph detector(bool by_class, std::int64_t most) {
  Attrs attrs;
  attrs.set("max_detections", most), attrs.set("num_classes", classes - 1);
  attrs.set("use_regular_nms", std::int64_t{by_class});
  attrs.set("detections_per_class", std::int64_t{30});
  attrs.set("nms_score_threshold", 0.2), attrs.set("nms_iou_threshold", 0.4);
  for (const char* name : {"y_scale", "x_scale"}) attrs.set(name, 10.0);
  for (const char* name : {"h_scale", "w_scale"}) attrs.set(name, 5.0);
  return network("DetectionPostProcess", {{1, boxes, 4}, {1, boxes, classes}},
                 {stepped({boxes, 4}, 30, 0.5f)}, attrs,
                 {{DType::f32, {1, most, 4}},
                  {DType::f32, {1, most}},
                  {DType::f32, {1, most}},
                  {DType::f32, {1}}});
}

TEST(DetectorC, ssd_keeps_the_detections_of_the_reference_by_box_and_by_class) {
  const Sample x{{"x0", stepped({1, boxes, 4}, 9, 0.5f)},
                 {"x1", stepped({1, boxes, classes}, 9, 0.125f)}};
  for (const bool by_class : {false, true})
    for (const std::int64_t most : {10, 60}) {
      const Sample y = expect_equal(detector(by_class, most), "tflite-ref", x);
      EXPECT_EQ(y.at("y3").number(0), static_cast<double>(most)) << "every row is full";
    }
}

TEST(DetectorC, scratch_of_ssd_is_five_numbers_a_box_and_what_may_stay) {
  const auto executor = Executor::make(detector(false, 10), *find_arithmetic("tflite-ref"));
  ASSERT_TRUE(executor.ok());
  const auto made = generate(*executor, {});
  ASSERT_TRUE(made.ok()) << made.error().line();
  const std::int64_t inputs = 4 * (boxes * 4 + boxes * classes), results = 4 * (10 * 6 + 1);
  EXPECT_LE(made->plan.largest_live, inputs + results + 20 * boxes + 4 * 10 + 64);
}

}  // namespace
}  // namespace lockstep
