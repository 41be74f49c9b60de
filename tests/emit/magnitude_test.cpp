// Float operators between codes in generated C: what is known of their numbers, where they lie, and
// that vectors round them as the reference does.
#include "emit/magnitude.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "emit/layout.h"
#include "support/generated_network.h"
#include "support/programs.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

// x (int8) -> Conv -> DequantizeLinear -> BatchNormalization -> QuantizeLinear -> DequantizeLinear
// -> Add 3 -> Div 6 -> Mul by itself -> QuantizeLinear -> Conv: a HardSwish whose parts stand
// alone.
class Glue {
 public:
  explicit Glue(float scale) : scale_(scale), b_("glue", "onnx") {}

  Graph network() {
    const ValueId x = codes("x", {1, 5, 7, 6});
    b_.add_input(x);
    const ValueId real = add("DequantizeLinear", {conv(x, 10, 5), number(scale_), code(3)},
                             reals("r", {1, 10, 7, 6}));
    const ValueId normal =
        add("BatchNormalization", {real, row(0.5f), row(-0.25f), row(0.125f), row(1.5f)},
            reals("n", {1, 10, 7, 6}));
    const ValueId back = add("DequantizeLinear", {quantized(normal, "q"), number(scale_), code(3)},
                             reals("d", {1, 10, 7, 6}));
    const ValueId sum = add("Add", {back, number(3)}, reals("s", {1, 10, 7, 6}));
    quotient = add("Div", {sum, number(6)}, reals("v", {1, 10, 7, 6}));
    product = add("Mul", {quotient, back}, reals("p", {1, 10, 7, 6}));
    b_.add_output(conv(quantized(product, "z"), 4, 10));
    auto graph = std::move(b_).finish();
    EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
    return std::move(graph).value();
  }
  // x (int8) -> DequantizeLinear -> BatchNormalization by these factors -> y.
  Graph normalization(const std::vector<float>& factors) {
    const auto channels = static_cast<std::int64_t>(factors.size());
    const auto all = [&](float v) {
      return constant(Tensor::of<float>({channels}, std::vector<float>(factors.size(), v)));
    };
    const ValueId x = codes("x", {1, channels, 3, 3}), y = reals("y", {1, channels, 3, 3});
    b_.add_input(x);
    Attrs attrs;
    attrs.set("epsilon", 0.0);
    const ValueId real =
        add("DequantizeLinear", {x, number(scale_), code(3)}, reals("r", {1, channels, 3, 3}));
    const ValueId factor = constant(Tensor::of<float>({channels}, factors));
    b_.add_output(add("BatchNormalization", {real, factor, all(0.25f), all(0), all(1)}, y, attrs));
    auto graph = std::move(b_).finish();
    EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
    return std::move(graph).value();
  }
  ValueId quotient = no_id, product = no_id;

 private:
  ValueId codes(const std::string& name, Shape shape) {
    Value v;
    v.name = name, v.dtype = DType::i8, v.shape = std::move(shape), v.quant = {{scale_}, {3}, -1};
    return b_.add_value(std::move(v));
  }
  ValueId reals(const std::string& name, Shape shape) {
    Value v;
    v.name = name, v.dtype = DType::f32, v.shape = std::move(shape);
    return b_.add_value(std::move(v));
  }
  ValueId constant(Tensor t, QuantParams quant = {}) {
    Value v;
    v.name = "c" + std::to_string(count_++), v.dtype = t.dtype(), v.shape = t.shape();
    v.quant = std::move(quant);
    v.constant = std::make_shared<const Tensor>(std::move(t));
    return b_.add_value(std::move(v));
  }
  ValueId number(float v) { return constant(Tensor::scalar(v)); }
  ValueId code(std::int8_t v) { return constant(Tensor::scalar(v)); }
  ValueId row(float first) {
    std::vector<float> v;
    for (int i = 0; i < 10; ++i) v.push_back(first + 0.03125f * static_cast<float>(i));
    return constant(Tensor::of<float>({10}, std::span<const float>(v)));
  }
  ValueId add(const std::string& op, std::vector<ValueId> inputs, ValueId y, Attrs attrs = {}) {
    Node n;
    n.op = op, n.name = op + std::to_string(count_++);
    n.attrs = std::move(attrs);
    n.inputs = std::move(inputs), n.outputs = {y};
    b_.add_node(std::move(n));
    return y;
  }
  ValueId conv(ValueId x, std::int64_t filters, std::int64_t channels) {
    Tensor t(DType::i8, {filters, channels, 3, 3});
    for (std::int64_t i = 0; i < t.count(); ++i) t.set_code(i, i * 37 % 251 - 125);
    Attrs attrs;
    attrs.set("pads", std::vector<std::int64_t>{1, 1, 1, 1});
    const ValueId w = constant(std::move(t), {{0.01}, {0}, -1});
    return add("Conv", {x, w}, codes("y" + std::to_string(count_), {1, filters, 7, 6}), attrs);
  }
  ValueId quantized(ValueId x, const std::string& name) {
    return add("QuantizeLinear", {x, number(scale_), code(3)}, codes(name, {1, 10, 7, 6}));
  }
  float scale_;
  GraphBuilder b_;
  int count_ = 0;
};

// Every tensor, and how often the C holds the text that says that vectors may be used.
void expect_equal(const Graph& g, const std::string& target, const std::string& text, int times,
                  int tensors) {
  const auto executor = Executor::make(g, *find_arithmetic("ort"));
  ASSERT_TRUE(executor.ok()) << executor.error().line();
  const auto made = generate(*executor, {});
  ASSERT_TRUE(made.ok()) << made.error().line();
  const test::TemporaryFolder folder;
  int found = 0;
  for (const GeneratedFile& f : made->files) {
    ASSERT_TRUE(write_file(folder / f.path, f.text).ok());
    if (f.path != "network.c") continue;
    for (std::size_t at = f.text.find(text); at != std::string::npos;
         at = f.text.find(text, at + 1))
      ++found;
  }
  EXPECT_EQ(found, times);
  const auto inputs = generated_inputs(executor->graph(), 2, 11);
  auto device = open_target(target + (folder / ""), {g, executor->arithmetic()});
  ASSERT_TRUE(device.ok()) << device.error().line();
  const auto capture = (*device)->run(inputs, {});
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  const test::Compared c = test::compare(*executor->run(inputs), *capture);
  EXPECT_EQ(c.different, 0) << c.first;
  EXPECT_GE(c.tensors, tensors);
}
void expect_equal(float scale, const std::string& target, int by_vectors) {
  expect_equal(Glue(scale).network(), target, ".vectors = 1", by_vectors, 20);
}

TEST(Magnitude, follows_from_the_scales_of_codes) {
  Glue glue(0.05f);
  const Graph g = glue.network();
  const auto v = magnitude_of(g, glue.quotient), p = magnitude_of(g, glue.product);
  ASSERT_TRUE(v && p);
  // A code is 0.05 at least; a sum with 3 keeps its last bit, and 6 divides it.
  EXPECT_EQ(v->least, -5 - 24 - 3 - 1);
  EXPECT_TRUE(v->vectors_are_exact());
  EXPECT_EQ(p->least, v->least - 5 - 1);
  EXPECT_FALSE(magnitude_of(g, g.inputs()[0]));
}

TEST(Magnitude, normalization_of_reals_lies_channels_last_with_the_convolutions_around_it) {
  const Graph g = Glue(0.05f).network();
  const auto layout = lay_out(g, *find_arithmetic("ort")->numerics, true);
  ASSERT_TRUE(layout.ok()) << layout.error().line();
  EXPECT_EQ(std::ranges::count(layout->graph.nodes(), "Transpose", &Node::op), 2)
      << "of the input and of the output";
}

// Whether the C of such a normalization takes vectors.
bool normalized_by_vectors(const std::vector<float>& factors) {
  const auto executor = Executor::make(Glue(0.05f).normalization(factors), *find_arithmetic("ort"));
  EXPECT_TRUE(executor.ok()) << (executor.ok() ? "" : executor.error().line());
  const auto made = generate(*executor, {});
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().line());
  const auto file = std::ranges::find(made->files, "network.c", &GeneratedFile::path);
  const std::size_t at = file->text.find("ls_affine_f32(");
  EXPECT_NE(at, std::string::npos);
  const std::string call = file->text.substr(at, file->text.find(';', at) - at);
  // factors, terms, outer, channels, inner, vectors
  const bool yes = call.find(", 1, 4, 9, 1,") != std::string::npos;
  EXPECT_NE(yes, call.find(", 1, 4, 9, 0,") != std::string::npos) << call;
  return yes;
}

TEST(Magnitude, negative_factors_of_a_normalization_count_by_their_magnitude) {
  EXPECT_TRUE(normalized_by_vectors({0.5f, 2, 1, 0.25f}));
  EXPECT_TRUE(normalized_by_vectors({0.5f, 2, -1, -0.25f}));
  EXPECT_FALSE(normalized_by_vectors({0.5f, -0x1p100f, -1, 2}));
  EXPECT_FALSE(normalized_by_vectors({0.5f, -0x1p-40f, -1, 2}));
}

TEST(Magnitude, negative_factors_of_a_normalization_are_equal_with_helium) {
  LOCKSTEP_NEEDS_THE_BOARD();
  const Graph g = Glue(0.05f).normalization({0.5f, 2, -1, -0.25f});
  expect_equal(g, "qemu:", ", 1, 4, 9, 1,", 1, 4);
}

TEST(Magnitude, operators_on_reals_between_codes_are_equal_on_this_machine) {
  expect_equal(0.05f, "c:", 3);
}
TEST(Magnitude, operators_on_reals_between_codes_are_equal_with_helium) {
  LOCKSTEP_NEEDS_THE_BOARD();
  expect_equal(0.05f, "qemu:", 3);
  expect_equal(0.0123f, "qemu:", 3);
}
TEST(Magnitude, what_might_be_subnormal_takes_no_vectors) {
  LOCKSTEP_NEEDS_THE_BOARD();
  expect_equal(0x1.8p-118f, "qemu:", 0);
}

}  // namespace
}  // namespace lockstep
