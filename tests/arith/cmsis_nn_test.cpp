#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "num/cmsis_nn.h"
#include "num/device_tables.h"
#include "num/tflite_policies.h"
#include "support/folders.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;

// One problem of cmsis_nn_vectors.txt: its kind and its named lists.
struct Vectors {
  std::string kind;
  std::map<std::string, std::vector<double>> lists;

  std::vector<std::int64_t> integers(const std::string& name) const {
    std::vector<std::int64_t> out;
    for (const double v : lists.at(name)) out.push_back(static_cast<std::int64_t>(v));
    return out;
  }
  std::int64_t at(const std::string& name, std::size_t i = 0) const { return integers(name)[i]; }
  bool has(const std::string& name) const { return lists.contains(name); }
  bool wide() const { return kind.ends_with("16") && kind != "softmax8to16"; }
  // "x_scale", "x_zero" as the quantization of an operand; without them scale 1, zero point 0.
  QuantParams quant(const std::string& name, int axis = -1) const {
    QuantParams q{{1.0}, {0}, -1};
    if (has(name + "_scale")) q.scale = lists.at(name + "_scale");
    if (has(name + "_zero")) q.zero = {static_cast<std::int32_t>(at(name + "_zero"))};
    q.zero.resize(q.scale.size(), q.zero[0]);
    q.axis = q.scale.size() > 1 ? axis : -1;
    return q;
  }
  Tensor codes(DType dtype, Shape shape, const std::string& name) const {
    Tensor t(dtype, std::move(shape));
    const auto list = integers(name);
    for (std::size_t i = 0; i < list.size(); ++i) t.set_code(static_cast<std::int64_t>(i), list[i]);
    return t;
  }
};

std::vector<Vectors> all_vectors() {
  std::ifstream file(test::source_folder() + "/tests/arith/cmsis_nn_vectors.txt");
  std::vector<Vectors> out;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name, word;
    words >> name;
    if (name.empty() || name[0] == '#') continue;
    if (name == "problem") {
      words >> out.emplace_back().kind;
      continue;
    }
    auto& list = out.back().lists[name];
    while (words >> word) list.push_back(std::strtod(word.c_str(), nullptr));
  }
  return out;
}

OpProblem layer(const Vectors& v, std::string_view arith) {
  const DType x = v.wide() ? DType::i16 : DType::i8, b = v.wide() ? DType::i64 : DType::i32;
  const auto shape = v.integers("shape"), filter = v.integers("filter"), pads = v.integers("pads");
  const bool depthwise = v.kind.starts_with("depthwise");
  const std::int64_t out = filter[2];
  const Shape w =
      depthwise ? Shape{1, filter[0], filter[1], out} : Shape{out, filter[0], filter[1], shape[3]};
  OpProblem p("Conv", arith);
  p.add(v.codes(x, shape, "x"), v.quant("x"), false);
  p.add(v.codes(DType::i8, w, "w"), v.quant("w", depthwise ? 3 : 0), true);
  p.add(v.codes(b, {out}, "b"), {}, true);
  p.attr("layout", std::string("NHWC")).attr("weights", std::string(depthwise ? "1HWO" : "OHWI"));
  p.attr("group", depthwise ? shape[3] : std::int64_t{1}).attr("strides", v.integers("stride"));
  p.attr("pads", std::vector<std::int64_t>{pads[0], pads[1], pads[0], pads[1]});
  if (v.at("relu") != 0) p.attr("activation", std::string("relu"));
  return p.output(v.quant("y"));
}

OpProblem dense(const Vectors& v, std::string_view arith) {
  const DType x = v.wide() ? DType::i16 : DType::i8, b = v.wide() ? DType::i64 : DType::i32;
  const auto sizes = v.integers("sizes");
  OpProblem p("Gemm", arith);
  p.add(v.codes(x, {sizes[0], sizes[1]}, "x"), v.quant("x"), false);
  p.add(v.codes(DType::i8, {sizes[2], sizes[1]}, "w"), v.quant("w", 0), true);
  p.add(v.codes(b, {sizes[2]}, "b"), {}, true);
  return p.attr("transB", std::int64_t{1}).attr("flatten", std::int64_t{1}).output(v.quant("y"));
}

OpProblem binary(const Vectors& v, std::string_view arith) {
  const DType x = v.wide() ? DType::i16 : DType::i8;
  const auto n = static_cast<std::int64_t>(v.integers("a").size());
  OpProblem p(v.kind.starts_with("add") ? "Add" : "Mul", arith);
  p.add(v.codes(x, {n}, "a"), v.quant("a"), false).add(v.codes(x, {n}, "b"), v.quant("b"), false);
  return p.output(v.quant("y"));
}

OpProblem average(const Vectors& v, std::string_view arith) {
  const auto pads = v.integers("pads");
  OpProblem p("AveragePool", arith);
  p.add(v.codes(v.wide() ? DType::i16 : DType::i8, v.integers("shape"), "x"), v.quant("x"), false);
  p.attr("layout", std::string("NHWC")).attr("kernel_shape", v.integers("kernel"));
  p.attr("pads", std::vector<std::int64_t>{pads[0], pads[1], pads[0], pads[1]});
  return p.output(v.quant("x"));
}

OpProblem softmax(const Vectors& v, std::string_view arith) {
  OpProblem p("Softmax", arith);
  p.add(v.codes(DType::i8, v.integers("rows"), "x"), v.quant("x"), false);
  return p.output({{1.0 / 256}, {-128}, -1});
}

// int8 rows to int16 codes, row by row through the policy.
std::vector<std::int64_t> softmax_to_16(const Vectors& v, std::string_view arith) {
  const SoftmaxScales s{v.lists.at("x_scale")[0], 1.0 / 65536, 1, -32768, -32768, 32767, -128};
  const auto row = static_cast<std::size_t>(v.at("rows", 1));
  const auto codes = v.integers("x");
  std::vector<std::int32_t> x(codes.begin(), codes.end()), y(x.size());
  for (std::size_t at = 0; at < x.size(); at += row)
    find_arithmetic(arith)->numerics->softmax->apply({x.data() + at, row}, {y.data() + at, row}, s);
  return {y.begin(), y.end()};
}

// Absent: peepholes and projection. States start at zero.
OpProblem lstm(const Vectors& v, std::string_view arith) {
  const auto shape = v.integers("shape");
  const std::int64_t steps = shape[0], batch = shape[1], in = shape[2], cells = shape[3];
  OpProblem p("SequenceLstm", arith);
  p.add(v.codes(DType::i8, shape[4] ? Shape{steps, batch, in} : Shape{batch, steps, in}, "x"),
        v.quant("x"), false);
  const std::string gates = "ifco";
  for (const char kind : {'w', 'r'})
    for (std::size_t g = 0; g < 4; ++g) {
      const QuantParams q{{v.lists.at(std::string(1, kind) + "_scale")[g]}, {0}, -1};
      p.add(v.codes(DType::i8, {cells, kind == 'w' ? in : cells}, std::string{kind, gates[g]}), q,
            true);
    }
  for (int i = 0; i < 3; ++i) p.absent();
  for (const char g : gates) p.add(v.codes(DType::i32, {cells}, std::string{'b', g}), {}, true);
  p.absent().absent();
  Tensor h(DType::i8, {batch, cells}), c(DType::i16, {batch, cells});
  for (std::int64_t i = 0; i < h.count(); ++i) h.set_code(i, v.at("h_zero")), c.set_code(i, 0);
  const double cell = std::ldexp(1.0, static_cast<int>(v.at("cell")));
  p.add(std::move(h), v.quant("h"), false).add(std::move(c), {{cell}, {0}, -1}, false);
  p.attr("time_major", shape[4]).attr("cell_clip", static_cast<double>(v.at("clip")) * cell);
  return p.output(v.quant("h")).output(v.quant("h")).output({{cell}, {0}, -1});
}

OpProblem problem_of(const Vectors& v, std::string_view arith) {
  if (v.kind.starts_with("conv") || v.kind.starts_with("depthwise")) return layer(v, arith);
  if (v.kind.starts_with("dense")) return dense(v, arith);
  if (v.kind.starts_with("average")) return average(v, arith);
  if (v.kind.starts_with("softmax")) return softmax(v, arith);
  if (v.kind == "lstm") return lstm(v, arith);
  return binary(v, arith);
}

std::vector<std::int64_t> codes_of(const std::vector<Tensor>& outputs) {
  std::vector<std::int64_t> codes;
  for (const Tensor& t : std::span(outputs).first(1))
    for (std::int64_t i = 0; i < t.count(); ++i) codes.push_back(t.code(i));
  return codes;
}

void expect_golden(std::string_view arith, const std::string& answer) {
  std::map<std::string, int> problems;
  std::size_t codes = 0;
  for (const Vectors& v : all_vectors()) {
    SCOPED_TRACE(v.kind + " #" + std::to_string(problems[v.kind]++));
    const auto wanted = v.integers(answer);
    EXPECT_EQ(
        v.kind == "softmax8to16" ? softmax_to_16(v, arith) : codes_of(problem_of(v, arith).run()),
        wanted);
    codes += wanted.size();
  }
  EXPECT_EQ(problems.size(), 15u);
  EXPECT_GT(codes, 3000u);
}

TEST(CmsisNn, equals_the_library_built_with_two_roundings_on_its_golden_vectors) {
  expect_golden("cmsis-nn", "y");
}

TEST(CmsisNn, equals_the_library_built_with_one_rounding_on_its_golden_vectors) {
  expect_golden("cmsis-nn-single", "z");
}

// 29 / 4 = 7.25: both kinds of layer round twice (8), where tflite-ref's fully connected one rounds
// once.
TEST(CmsisNn, fully_connected_layers_round_twice_like_convolutions) {
  const Numerics& n = *find_arithmetic("cmsis-nn")->numerics;
  EXPECT_EQ(n.conv->apply(29, n.conv->prepare(0.5, 0.5, 1.0)), 8);
  EXPECT_EQ(n.dense->apply(29, n.dense->prepare(0.5, 0.5, 1.0)), 8);
  EXPECT_EQ(n.dense_by_channel->apply(29, n.dense_by_channel->prepare(0.5, 0.5, 1.0)), 8);
}

// TFLite Micro's own answer, taken from a model of one LEAKY_RELU; the reference kernels give
// 11300.
TEST(CmsisNn, layers_of_16_bits_have_a_multiplier_for_each_column_formed_in_double) {
  // 31749.5005 sixteenth bits: rounded up in double; a product cut to float32 first would round
  // down.
  const Numerics& n = *find_arithmetic("cmsis-nn")->numerics;
  const Rescale r = n.dense_by_channel->prepare(0.003784835398995225, 1.0, 1.0);
  EXPECT_EQ(n.dense_by_channel->apply_wide(-117969, r), -447);
}

TEST(CmsisNn, a_16_bit_softmax_takes_its_samples_in_float32) {
  const Numerics& n = *find_arithmetic("cmsis-nn")->numerics;
  EXPECT_EQ(n.softmax_wide, &tflm_softmax_wide);
  EXPECT_FALSE(exponential_samples_of(tflm_softmax_wide) ==
                   exponential_samples_of(tflite_softmax_wide) &&
               inverse_samples_of(tflm_softmax_wide) == inverse_samples_of(tflite_softmax_wide));
}

TEST(CmsisNn, a_16_bit_leaky_relu_has_a_multiplier_formed_in_double) {
  const auto answer = [](std::string_view arith) {
    TableScales s{};
    s.x_scale = static_cast<double>(0.16737507f), s.y_scale = static_cast<double>(0.067717254f),
    s.alpha = static_cast<double>(0.3f);
    s.low = s.x_low = -32768, s.high = 32767;
    std::vector<std::int32_t> table(65536);
    find_arithmetic(arith)->numerics->leaky_relu->fill(s, table);
    return table[32768 + 4572];
  };
  EXPECT_EQ(answer("cmsis-nn"), 11301);
  EXPECT_EQ(answer("tflite-ref"), 11300);
}

// One layer of 16-bit codes under a bias of this type, as the arithmetic judges it.
std::string judged(const std::string& op, const std::string& weights, DType bias_type) {
  GraphBuilder b("model", "test");
  const auto value = [&](const std::string& name, DType type, Shape shape, bool constant) {
    Value v;
    v.name = name;
    v.dtype = type;
    v.quant = {{0.5}, {0}, -1};
    if (constant) v.constant = std::make_shared<const Tensor>(type, shape);
    v.shape = std::move(shape);
    return b.add_value(std::move(v));
  };
  Node n;
  n.op = op;
  n.name = "layer";
  if (!weights.empty()) n.attrs.set("weights", weights);
  const ValueId x = value("x", DType::i16, {1, 1, 1, 1}, false);
  b.add_input(x);
  n.inputs = {x, value("w", DType::i8, {1, 1, 1, 1}, true), value("b", bias_type, {1}, true)};
  const ValueId y = value("y", DType::i16, {1, 1, 1, 1}, false);
  n.outputs = {y};
  b.add_node(std::move(n));
  b.add_output(y);
  const auto g = std::move(b).finish();
  EXPECT_TRUE(g.ok()) << (g.ok() ? "" : g.error().line());
  return find_arithmetic("cmsis-nn")->unsupported({*g, g->node(g->find_node("layer"))});
}

TEST(CmsisNn, refuses_16_bit_layers_whose_bias_of_32_bits_is_read_as_64) {
  EXPECT_NE(judged("Conv", "1HWO", DType::i32).find("as 64 bits"), std::string::npos);
  EXPECT_NE(judged("ConvTranspose", "", DType::i32).find("as 64 bits"), std::string::npos);
  EXPECT_EQ(judged("Conv", "1HWO", DType::i64), "");
  EXPECT_EQ(judged("ConvTranspose", "", DType::i64), "");
  EXPECT_EQ(judged("Conv", "OHWI", DType::i32), "");
}

}  // namespace
}  // namespace lockstep
