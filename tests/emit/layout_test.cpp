// Channels last in generated C: where, and what stays in the model's order.
#include "emit/layout.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/generated_network.h"
#include "support/nets.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

// A network of codes: x -> ... -> y, each operator on what the one before made.
class Chain {
 public:
  explicit Chain(Shape x) : b_("chain", "onnx") {
    last_ = value("x", std::move(x));
    b_.add_input(last_);
  }
  Chain& node(const std::string& op, Shape y, Attrs attrs = {}, std::vector<ValueId> more = {}) {
    Node n;
    n.op = op, n.name = op + std::to_string(count_);
    n.attrs = std::move(attrs);
    n.inputs = {last_};
    n.inputs.insert(n.inputs.end(), more.begin(), more.end());
    return made(std::move(n), value("y" + std::to_string(count_++), std::move(y)));
  }
  // The sum with itself, at another scale.
  Chain& twice(double scale) {
    Node n;
    n.op = "Add", n.name = "Add" + std::to_string(count_);
    n.inputs = {last_, last_};
    return made(std::move(n), value("y" + std::to_string(count_++), b_.value(last_).shape, scale));
  }
  // As codes without a sign.
  Chain& unsign() {
    Node n;
    n.op = "Requantize", n.name = n.op + std::to_string(count_);
    n.inputs = {last_};
    const ValueId y = value("y" + std::to_string(count_++), b_.value(last_).shape, 0.1f);
    b_.value(y).dtype = DType::u8, b_.value(y).quant.zero = {131};
    return made(std::move(n), y);
  }
  // Reals of the codes, and codes of 16 bits of these.
  Chain& words(float scale) {
    const Shape shape = b_.value(last_).shape;
    const ValueId from = constant(Tensor::scalar(0.05f)),
                  zero = constant(Tensor::scalar(std::int8_t{3}));
    Node real, n;
    real.op = "DequantizeLinear", real.name = real.op + std::to_string(count_);
    real.inputs = {last_, from, zero};
    Value v;
    v.name = "r" + std::to_string(count_++), v.dtype = DType::f32, v.shape = shape;
    made(std::move(real), b_.add_value(std::move(v)));
    n.op = "QuantizeLinear", n.name = n.op + std::to_string(count_);
    n.inputs = {last_, constant(Tensor::scalar(scale)), constant(Tensor::scalar(std::int16_t{0}))};
    v = Value();
    v.name = "y" + std::to_string(count_++), v.dtype = DType::i16, v.shape = shape;
    v.quant = {{double{scale}}, {0}, -1};
    return made(std::move(n), b_.add_value(std::move(v)));
  }
  Chain& conv(std::int64_t filters, std::int64_t channels, Shape y) {
    Value w;
    w.name = "w" + std::to_string(count_);
    w.dtype = DType::i8, w.shape = {filters, channels, 3, 3};
    w.quant = {{0.01}, {0}, -1};
    Tensor t(DType::i8, w.shape);
    for (std::int64_t i = 0; i < t.count(); ++i) t.set_code(i, i % 251 - 125);
    w.constant = std::make_shared<const Tensor>(std::move(t));
    Attrs attrs;
    attrs.set("pads", std::vector<std::int64_t>{1, 1, 1, 1});
    return node("Conv", std::move(y), std::move(attrs), {b_.add_value(std::move(w))});
  }
  Graph finish() {
    b_.add_output(last_);
    auto graph = std::move(b_).finish();
    EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
    return std::move(graph).value();
  }

 private:
  ValueId value(const std::string& name, Shape shape, double scale = 0.05f) {
    Value v;
    v.name = name, v.dtype = DType::i8, v.shape = std::move(shape), v.quant = {{scale}, {3}, -1};
    return b_.add_value(std::move(v));
  }
  ValueId constant(Tensor t) {
    Value v;
    v.name = "c" + std::to_string(constants_++), v.dtype = t.dtype(), v.shape = t.shape();
    v.constant = std::make_shared<const Tensor>(std::move(t));
    return b_.add_value(std::move(v));
  }
  Chain& made(Node n, ValueId y) {
    last_ = y;
    n.outputs = {y};
    b_.add_node(std::move(n));
    return *this;
  }
  GraphBuilder b_;
  ValueId last_ = no_id;
  int count_ = 0, constants_ = 0;
};

Attrs perm(std::vector<std::int64_t> order) {
  Attrs attrs;
  attrs.set("perm", std::move(order));
  return attrs;
}

Layout laid_out(const Graph& g, bool turn = true) {
  auto layout = lay_out(g, *find_arithmetic("ort")->numerics, turn);
  EXPECT_TRUE(layout.ok()) << (layout.ok() ? "" : layout.error().line());
  return std::move(layout).value();
}

int count(const Layout& l, std::string_view op) {
  return static_cast<int>(std::ranges::count(l.graph.nodes(), op, &Node::op));
}

TEST(Layout, elements_are_named_in_the_order_in_which_they_lie) {
  EXPECT_EQ(channels_last_shape({1, 2, 3, 4}), (Shape{1, 3, 4, 2}));
  EXPECT_EQ(channels_last_elements({1, 2, 2, 2}),
            (std::vector<std::int64_t>{0, 4, 1, 5, 2, 6, 3, 7}));
  EXPECT_EQ(channels_last_elements({1, 3, 2}), (std::vector<std::int64_t>{0, 2, 4, 1, 3, 5}));
}

TEST(Layout, a_convolution_on_codes_lies_channels_last_between_inputs_and_outputs_that_do_not) {
  const Graph g = Chain({1, 4, 8, 8}).conv(6, 4, {1, 6, 8, 8}).finish();
  const Layout l = laid_out(g);
  ASSERT_EQ(l.graph.nodes().size(), 3u);
  EXPECT_EQ(l.graph.nodes()[0].op, "Transpose");
  EXPECT_EQ(l.graph.nodes()[1].attrs.text("layout", ""), "NHWC");
  EXPECT_EQ(l.graph.nodes()[2].op, "Transpose");
  EXPECT_EQ(l.graph.value(l.graph.inputs()[0]).shape, (Shape{1, 4, 8, 8}));
  EXPECT_EQ(l.graph.value(l.graph.outputs()[0]).shape, (Shape{1, 6, 8, 8}));
  EXPECT_FALSE(l.turned[static_cast<std::size_t>(l.graph.outputs()[0])]);
  EXPECT_TRUE(l.inner[static_cast<std::size_t>(l.graph.nodes()[1].outputs[0])]);
  EXPECT_EQ(count(laid_out(g, false), "Transpose"), 0);
}

TEST(Layout, transposes_of_the_model_around_it_become_the_same_bytes) {
  const Graph g = Chain({1, 8, 8, 4})
                      .node("Transpose", {1, 4, 8, 8}, perm({0, 3, 1, 2}))
                      .conv(6, 4, {1, 6, 8, 8})
                      .node("Flatten", {1, 384})
                      .finish();
  const Layout l = laid_out(g);
  ASSERT_EQ(l.graph.nodes().size(), 3u);
  EXPECT_TRUE(l.same_bytes[0]);
  EXPECT_FALSE(l.same_bytes[2]) << "Flatten writes the model's order";
}

TEST(Layout, one_channel_in_and_one_place_out_need_no_turning) {
  Attrs kernel;
  kernel.set("kernel_shape", std::vector<std::int64_t>{8, 8});
  const Graph g = Chain({1, 1, 8, 8})
                      .conv(6, 1, {1, 6, 8, 8})
                      .node("MaxPool", {1, 6, 1, 1}, kernel)
                      .node("Flatten", {1, 6})
                      .finish();
  const Layout l = laid_out(g);
  for (std::size_t n = 0; n < l.graph.nodes().size(); ++n) {
    const std::string& op = l.graph.nodes()[n].op;
    EXPECT_EQ(l.same_bytes[n], op == "Transpose" || op == "Flatten") << l.graph.nodes()[n].name;
  }
}

TEST(Layout, generated_tensors_are_told_in_the_models_order) {
  const Graph g = Chain({1, 4, 8, 8})
                      .conv(6, 4, {1, 6, 8, 8})
                      .node("Relu", {1, 6, 8, 8})
                      .conv(4, 6, {1, 4, 8, 8})
                      .finish();
  const auto executor = Executor::make(g, *find_arithmetic("ort"));
  ASSERT_TRUE(executor.ok()) << executor.error().line();
  const auto made = generate(*executor, {});
  ASSERT_TRUE(made.ok()) << made.error().line();
  const test::TemporaryFolder folder;
  nlohmann::json manifest;
  for (const GeneratedFile& f : made->files) {
    ASSERT_TRUE(write_file(folder / f.path, f.text).ok());
    if (f.path == "network.json") manifest = nlohmann::json::parse(f.text);
  }
  int turned = 0;
  for (const auto& node : manifest.at("nodes"))
    for (const auto& t : node.at("outputs"))
      turned += t.contains("order") && t.at("shape") == nlohmann::json({1, 6, 8, 8});
  EXPECT_GE(turned, 1);
  const auto inputs = generated_inputs(executor->graph(), 2, 7);
  auto target = open_target("c:" + (folder / "") + ",poison=on", {g, executor->arithmetic()});
  ASSERT_TRUE(target.ok()) << target.error().line();
  const auto device = (*target)->run(inputs, {});
  ASSERT_TRUE(device.ok()) << device.error().line();
  const test::Compared c = test::compare(*executor->run(inputs), *device);
  EXPECT_EQ(c.different, 0) << c.first;
  EXPECT_GE(c.tensors, 6);
}

// Whether `op` lies channels last; every tensor of its C is the executor's.
bool turns_and_is_equal(const Graph& g, std::string_view op) {
  Arithmetic plain = *find_arithmetic("tflite");
  plain.passes = {};
  const auto layout = lay_out(g, *plain.numerics, true);
  EXPECT_TRUE(layout.ok()) << (layout.ok() ? "" : layout.error().line());
  const auto node = std::ranges::find(layout->graph.nodes(), op, &Node::op);
  EXPECT_NE(node, layout->graph.nodes().end());
  const auto executor = Executor::make(g, plain);
  EXPECT_TRUE(executor.ok()) << (executor.ok() ? "" : executor.error().line());
  const auto made = generate(*executor, {});
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().line());
  const test::TemporaryFolder folder;
  for (const GeneratedFile& f : made->files) EXPECT_TRUE(write_file(folder / f.path, f.text).ok());
  const auto inputs = generated_inputs(executor->graph(), 64, 7);
  auto target = open_target("c:" + (folder / ""), {g, plain});
  EXPECT_TRUE(target.ok()) << (target.ok() ? "" : target.error().line());
  const auto device = (*target)->run(inputs, {});
  EXPECT_TRUE(device.ok()) << (device.ok() ? "" : device.error().line());
  const test::Compared c = test::compare(*executor->run(inputs), *device);
  EXPECT_EQ(c.different, 0) << c.first;
  EXPECT_GE(c.tensors, 192);
  return layout->turned[static_cast<std::size_t>(node->outputs[0])];
}

// Far-apart scales: LiteRT sums whole vectors of 16 by one rounding and the rest by another.
TEST(Layout, sums_with_a_rest_behind_their_vectors_keep_the_order_that_the_rest_is_counted_in) {
  const auto network = [](std::int64_t channels) {
    return Chain({1, 3, 5, 5})
        .conv(channels, 3, {1, channels, 5, 5})
        .twice(0.0001)
        .conv(4, channels, {1, 4, 5, 5})
        .finish();
  };
  EXPECT_FALSE(turns_and_is_equal(network(6), "Add")) << "9 vectors and 6 elements";
  EXPECT_TRUE(turns_and_is_equal(network(16), "Add")) << "25 vectors";
}

TEST(Layout, codes_of_16_bits_with_a_rest_behind_their_vectors_keep_the_order_of_the_file) {
  const auto network = [](std::int64_t channels) {
    return Chain({1, 3, 5, 5})
        .conv(channels, 3, {1, channels, 5, 5})
        .words(0.1f)
        .conv(4, channels, {1, 4, 5, 5})
        .finish();
  };
  EXPECT_FALSE(turns_and_is_equal(network(6), "QuantizeLinear")) << "18 vectors and 6 elements";
  EXPECT_TRUE(turns_and_is_equal(network(16), "QuantizeLinear")) << "50 vectors";
}

TEST(Layout, codes_that_lose_their_sign_with_a_rest_behind_their_runs_keep_the_order_of_the_file) {
  const auto network = [](std::int64_t channels) {
    return Chain({1, 3, 5, 5})
        .conv(channels, 3, {1, channels, 5, 5})
        .unsign()
        .conv(4, channels, {1, 4, 5, 5})
        .finish();
  };
  EXPECT_FALSE(turns_and_is_equal(network(6), "Requantize")) << "9 runs and 6 elements";
  EXPECT_TRUE(turns_and_is_equal(network(16), "Requantize")) << "25 runs";
}

}  // namespace
}  // namespace lockstep
