#include "pass/qdq.h"

#include <gtest/gtest.h>

#include <map>

#include "pass/pass.h"

namespace lockstep {
namespace {

// A graph of (de)quantized operators, written down value by value.
class Sketch {
 public:
  Sketch() : builder("sketch", "onnx") {
    scale = constant("scale", Tensor::scalar(0.1f));
    zero = constant("zero", Tensor::scalar(std::int8_t{-128}));
  }
  ValueId constant(const std::string& name, Tensor t) {
    Value v;
    v.name = name;
    v.dtype = t.dtype();
    v.shape = t.shape();
    v.constant = std::make_shared<const Tensor>(std::move(t));
    return builder.add_value(std::move(v));
  }
  ValueId value(const std::string& name, DType dtype, Shape shape) {
    Value v;
    v.name = name;
    v.dtype = dtype;
    v.shape = std::move(shape);
    if (dtype == DType::i8) v.quant = {{double{0.1f}}, {-128}, -1};
    return builder.add_value(std::move(v));
  }
  ValueId input(const std::string& name, Shape shape) {
    const ValueId id = value(name, DType::f32, std::move(shape));
    builder.add_input(id);
    return id;
  }
  ValueId add(const std::string& op, const std::string& name, std::vector<ValueId> inputs,
              DType dtype, Shape shape) {
    Node n;
    n.op = op;
    n.name = name;
    n.inputs = std::move(inputs);
    n.outputs = {value(name + ":0", dtype, std::move(shape))};
    const ValueId out = n.outputs[0];
    builder.add_node(std::move(n));
    return out;
  }
  ValueId q(ValueId x, const std::string& name, Shape shape) {
    return add("QuantizeLinear", name, {x, scale, zero}, DType::i8, std::move(shape));
  }
  ValueId dq(ValueId x, const std::string& name, Shape shape) {
    return add("DequantizeLinear", name, {x, scale, zero}, DType::f32, std::move(shape));
  }
  Graph finish(std::vector<ValueId> outputs) {
    for (const ValueId v : outputs) builder.add_output(v);
    auto g = std::move(builder).finish();
    EXPECT_TRUE(g.ok()) << (g.ok() ? "" : g.error().line());
    return std::move(g).value();
  }

  GraphBuilder builder;
  ValueId scale, zero;
};

std::map<std::string, int> operators(const Graph& g) {
  std::map<std::string, int> count;
  for (const Node& n : g.nodes()) ++count[n.op];
  return count;
}

Graph lowered(const Graph& g, std::initializer_list<std::string_view> passes) {
  auto next = apply_passes(g, std::span(passes.begin(), passes.size()));
  EXPECT_TRUE(next.ok()) << (next.ok() ? "" : next.error().line());
  return std::move(next).value();
}

const Shape image{1, 1, 4, 4};

ValueId conv(Sketch& s, ValueId x, const std::string& name) {
  const ValueId w =
      s.constant(name + "/w", Tensor::of<std::int8_t>({1, 1, 1, 1}, std::vector<std::int8_t>{3}));
  return s.add("Conv", name, {x, s.dq(w, name + "/w_dq", {1, 1, 1, 1})}, DType::f32, image);
}

TEST(Qdq, a_conv_between_codes_of_one_reader_runs_on_codes) {
  Sketch s;
  const ValueId x = s.dq(s.q(s.input("x", image), "q0", image), "dq0", image);
  const ValueId y = s.dq(s.q(conv(s, x, "conv"), "q1", image), "dq1", image);
  const auto count = operators(lowered(s.finish({y}), {"mark-unsigned-codes", "fuse-qdq-conv"}));
  EXPECT_EQ(count, (std::map<std::string, int>{
                       {"Conv", 1}, {"DequantizeLinear", 1}, {"QuantizeLinear", 1}}));
}

TEST(Qdq, a_conv_whose_input_has_a_second_reader_stays_in_float) {
  Sketch s;
  const ValueId x = s.dq(s.q(s.input("x", image), "q0", image), "dq0", image);
  const ValueId y = s.dq(s.q(conv(s, x, "conv"), "q1", image), "dq1", image);
  const ValueId sum = s.add("Add", "add", {x, y}, DType::f32, image);
  const Graph g = s.finish({s.dq(s.q(sum, "q2", image), "dq2", image)});
  const auto count =
      operators(lowered(g, {"mark-unsigned-codes", "fuse-qdq-conv", "fuse-qdq-binary"}));
  EXPECT_EQ(count.at("DequantizeLinear"), 4);
}

TEST(Qdq, a_transpose_before_a_conv_hands_its_scale_on) {
  Sketch s;
  const ValueId x = s.dq(s.q(s.input("x", image), "q0", image), "dq0", image);
  const ValueId moved = s.add("Transpose", "move", {x}, DType::f32, image);
  const ValueId y = s.dq(s.q(conv(s, moved, "conv"), "q1", image), "dq1", image);
  const auto count = operators(
      lowered(s.finish({y}), {"propagate-dequantize", "mark-unsigned-codes", "fuse-qdq-conv"}));
  EXPECT_EQ(count.at("QuantizeLinear"), 2);
  EXPECT_EQ(count.at("DequantizeLinear"), 2);
}

TEST(Qdq, codes_pass_a_max_pool_from_opset_12_on) {
  for (const std::int64_t opset : {11, 12}) {
    Sketch s;
    const ValueId x = s.add("Sin", "sin", {s.input("x", image)}, DType::f32, image);
    const ValueId pooled = s.add("MaxPool", "pool", {x}, DType::f32, image);
    Node& pool = s.builder.node(s.builder.value(pooled).producer);
    pool.attrs.set("kernel_shape", std::vector<std::int64_t>{1, 1});
    pool.attrs.set("opset", opset);
    const ValueId y = s.dq(s.q(pooled, "q", image), "dq", image);
    EXPECT_EQ(operators(lowered(s.finish({y}), {"propagate-quantize"})).at("QuantizeLinear"),
              opset < 12 ? 1 : 2);
  }
}

// The slices of a picture's even and odd lines: the first ones are equal in pairs, which the
// runtime merges, so that no quantizer passes them.
TEST(Qdq, codes_pass_a_slice_but_not_where_equal_slices_stand_before_it) {
  for (const bool twins : {false, true}) {
    Sketch s;
    const ValueId x = s.add("Sin", "sin", {s.input("x", image)}, DType::f32, image);
    std::vector<ValueId> ends;
    for (const std::string name : {"a", "b"}) {
      const auto at = [&](const std::string& what, std::int64_t v) {
        return s.constant(what + name, Tensor::of<std::int64_t>({1}, std::vector{v}));
      };
      const ValueId first =
          s.add("Slice", "first" + name,
                {x, at("start", twins || name == "a" ? 0 : 1), at("end", 99), at("axis", 2)},
                DType::f32, image);
      const ValueId second =
          s.add("Slice", "second" + name, {first, at("from", 0), at("to", 99), at("along", 3)},
                DType::f32, image);
      ends.push_back(s.dq(s.q(second, "q" + name, image), "dq" + name, image));
    }
    EXPECT_EQ(operators(lowered(s.finish(ends), {"propagate-quantize"})).at("QuantizeLinear"),
              twins ? 2 : 4)
        << twins;
  }
}

TEST(Qdq, a_relu_before_codes_that_start_at_zero_goes) {
  Sketch s;
  const ValueId y = s.add("Relu", "relu", {s.input("x", image)}, DType::f32, image);
  const auto count = operators(lowered(s.finish({s.q(y, "q", image)}), {"drop-redundant-clip"}));
  EXPECT_EQ(count, (std::map<std::string, int>{{"QuantizeLinear", 1}}));
}

TEST(Qdq, equal_double_quantization_becomes_single) {
  Sketch s;
  const ValueId once = s.dq(s.q(s.input("x", image), "q0", image), "dq0", image);
  const Graph g = s.finish({s.dq(s.q(once, "q1", image), "dq1", image)});
  const auto count = operators(lowered(g, {"remove-double-qdq"}));
  EXPECT_EQ(count, (std::map<std::string, int>{{"DequantizeLinear", 1}, {"QuantizeLinear", 1}}));
}

// Of two equal quantizers of one tensor the runtime keeps the one that its walk from
// the last leaf meets first.
TEST(Qdq, of_equal_quantizers_the_one_before_the_last_output_keeps_its_name) {
  Sketch s;
  const ValueId x = s.input("x", {1, 4});
  const ValueId a = s.q(x, "a", {1, 4}), b = s.q(x, "b", {1, 4});
  const Graph g = s.finish({s.dq(a, "da", {1, 4}), s.dq(b, "db", {1, 4})});
  const auto merged = merge_equal_quantize(g).value().apply();
  ASSERT_TRUE(merged.ok());
  std::vector<std::string> names;
  for (const Node& n : merged.value().nodes())
    if (n.op == "QuantizeLinear") names.push_back(n.name);
  EXPECT_EQ(names, std::vector<std::string>{"b"});
}

// The runtime joins equal scales of the file, but never zero points: those must be one constant.
TEST(Qdq, equal_quantizers_with_zero_points_of_their_own_stay_two) {
  for (const bool own_zero : {false, true}) {
    Sketch s;
    const ValueId x = s.input("x", {1, 4}), a = s.q(x, "a", {1, 4});
    s.scale = s.constant("other scale", Tensor::scalar(0.1f));
    if (own_zero) s.zero = s.constant("other zero", Tensor::scalar(std::int8_t{-128}));
    const ValueId b = s.q(x, "b", {1, 4});
    const Graph g = s.finish({s.dq(a, "da", {1, 4}), s.dq(b, "db", {1, 4})});
    EXPECT_EQ(operators(lowered(g, {"merge-equal-quantize"})).at("QuantizeLinear"),
              own_zero ? 2 : 1);
  }
}

// A bias in codes has the scale of the product: under a factor the runtime leaves the layer
// in reals.
TEST(Qdq, a_gemm_with_a_factor_stays_in_float_where_its_bias_is_in_codes) {
  for (const bool biased : {false, true})
    for (const double alpha : {1.0, 0.5}) {
      Sketch s;
      const ValueId x = s.dq(s.q(s.input("x", {1, 2}), "q0", {1, 2}), "dq0", {1, 2});
      const ValueId w =
          s.constant("w", Tensor::of<std::int8_t>({2, 1}, std::vector<std::int8_t>{3, 4}));
      std::vector<ValueId> operands{x, s.dq(w, "w_dq", {2, 1})};
      if (biased) {
        s.zero = s.constant("bias zero", Tensor::scalar(std::int32_t{0}));
        operands.push_back(
            s.dq(s.constant("b", Tensor::of<std::int32_t>({1}, std::vector<std::int32_t>{7})),
                 "b_dq", {1}));
        s.zero = s.builder.find("zero");
      }
      const ValueId y = s.add("Gemm", "gemm", std::move(operands), DType::f32, {1, 1});
      s.builder.node(s.builder.value(y).producer).attrs.set("alpha", alpha);
      const Graph g = s.finish({s.dq(s.q(y, "q1", {1, 1}), "dq1", {1, 1})});
      const auto count = operators(lowered(g, {"fuse-qdq-dense"}));
      EXPECT_EQ(count.at("DequantizeLinear"), biased && alpha != 1 ? 4 : 1) << biased << alpha;
    }
}

// A global average behind a dequantizer runs plane by plane; behind a pool on blocked
// channels it runs on those.
TEST(Qdq, a_global_average_runs_on_blocked_channels_only_behind_them) {
  for (const bool pooled : {false, true}) {
    Sketch s;
    ValueId x = s.input("x", {1, 16, 4, 4});
    if (pooled) x = s.add("MaxPool", "pool", {x}, DType::f32, {1, 16, 4, 4});
    if (pooled)
      s.builder.node(s.builder.value(x).producer)
          .attrs.set("kernel_shape", std::vector<std::int64_t>{1, 1});
    const Graph g = s.finish({s.add("GlobalAveragePool", "mean", {x}, DType::f32, {1, 16, 1, 1})});
    EXPECT_EQ(block_float_pools(g).value().empty(), !pooled);
  }
}

// The runtime joins nodes by moving their readers: one that nobody reads stays.
TEST(Qdq, of_equal_dequantizers_the_one_that_nobody_reads_stays) {
  Sketch s;
  const ValueId codes = s.q(s.input("x", {1, 4}), "q", {1, 4});
  const ValueId read = s.dq(codes, "read", {1, 4});
  s.dq(codes, "idle", {1, 4});
  const Graph g = s.finish({s.add("Relu", "relu", {read}, DType::f32, {1, 4})});
  EXPECT_EQ(operators(lowered(g, {"merge-equal-quantize"})).at("DequantizeLinear"), 2);
}

TEST(Qdq, a_conv_of_four_bit_weights_stays_in_float) {
  Sketch s;
  const ValueId x = s.dq(s.q(s.input("x", image), "q0", image), "dq0", image);
  const ValueId y = s.dq(s.q(conv(s, x, "conv"), "q1", image), "dq1", image);
  s.builder.node(s.builder.value(s.builder.find("conv/w_dq:0")).producer)
      .attrs.set("bits", std::int64_t{4});
  const auto count = operators(lowered(s.finish({y}), {"mark-unsigned-codes", "fuse-qdq-conv"}));
  EXPECT_EQ(count.at("DequantizeLinear"), 3);
}

TEST(Qdq, a_relu_before_a_quantizer_without_a_zero_point_stays) {
  Sketch s;
  const ValueId relu = s.add("Relu", "relu", {s.input("x", image)}, DType::f32, image);
  const ValueId y = s.add("QuantizeLinear", "q", {relu, s.scale}, DType::u8, image);
  EXPECT_EQ(operators(lowered(s.finish({y}), {"drop-redundant-clip"})).count("Relu"), 1u);
}

// The runtime looks at zero points of 8 bits only: a Relu before a quantizer to int4 goes whatever
// its zero point is.
TEST(Qdq, a_relu_before_a_quantizer_to_four_bits_goes) {
  for (const bool narrow : {true, false}) {
    Sketch s;
    const ValueId zero = s.constant("one", Tensor::scalar(std::int8_t{1}));
    const ValueId x = s.add("Relu", "relu", {s.input("x", image)}, DType::f32, image);
    const ValueId y = s.add("QuantizeLinear", "q", {x, s.scale, zero}, DType::i8, image);
    if (narrow) s.builder.node(s.builder.value(y).producer).attrs.set("bits", std::int64_t{4});
    EXPECT_EQ(operators(lowered(s.finish({y}), {"drop-redundant-clip"})).count("Relu"),
              narrow ? 0u : 1u);
  }
}

// Add of uint8 codes and int8 ones held as uint8 into uint8: only its second operand is held
// otherwise than it is stored.
TEST(Qdq, an_add_whose_second_operand_alone_is_held_as_unsigned_says_so) {
  Sketch s;
  const ValueId zero = s.constant("unsigned_zero", Tensor::scalar(std::uint8_t{128}));
  const auto q = [&](ValueId x, const std::string& name) {
    return s.add("QuantizeLinear", name, {x, s.scale, zero}, DType::u8, image);
  };
  const ValueId a = s.add("DequantizeLinear", "a/dq",
                          {q(s.input("a", image), "a/q"), s.scale, zero}, DType::f32, image);
  const ValueId b = s.dq(s.q(s.input("b", image), "b/q", image), "b/dq", image);
  const Graph g = lowered(s.finish({q(s.add("Add", "add", {a, b}, DType::f32, image), "y/q")}),
                          {"mark-unsigned-codes", "fuse-qdq-binary"});
  ASSERT_EQ(operators(g).count("DequantizeLinear"), 0u);
  EXPECT_EQ(g.node(g.value(g.outputs()[0]).producer).attrs.text("codes", ""), "unsigned");
}

// Mul of uint8 codes makes int8 ones, which the runtime holds as uint8: the pool behind it runs on
// codes too.
TEST(Qdq, a_pool_behind_an_operator_from_unsigned_to_signed_codes_runs_on_codes) {
  Sketch s;
  const ValueId zero = s.constant("unsigned_zero", Tensor::scalar(std::uint8_t{128}));
  const auto pair = [&](const std::string& name) {
    const ValueId x = s.input(name, image);
    const ValueId codes =
        s.add("QuantizeLinear", name + "/q", {x, s.scale, zero}, DType::u8, image);
    return s.add("DequantizeLinear", name + "/dq", {codes, s.scale, zero}, DType::f32, image);
  };
  const ValueId product = s.add("Mul", "mul", {pair("a"), pair("b")}, DType::f32, image);
  const ValueId x = s.dq(s.q(product, "q1", image), "dq1", image);
  const ValueId pool = s.add("AveragePool", "pool", {x}, DType::f32, image);
  s.builder.node(s.builder.value(pool).producer)
      .attrs.set("kernel_shape", std::vector<std::int64_t>{1, 1});
  const Graph g = lowered(s.finish({s.dq(s.q(pool, "q2", image), "dq2", image)}),
                          {"mark-unsigned-codes", "fuse-qdq-binary", "fuse-qdq-unary"});
  EXPECT_EQ(operators(g).at("QuantizeLinear"), 2);
  EXPECT_EQ(operators(g).at("DequantizeLinear"), 1);
}

// A Pad by zeros goes into the convolution, which then runs on codes; one by other values, or with
// -0, stays.
Tensor zeros_before_and_behind() {
  return Tensor::of<std::int64_t>({8}, std::vector<std::int64_t>{0, 0, 0, 1, 0, 0, 1, 0});
}

TEST(Qdq, zeros_around_a_conv_become_its_padding) {
  const auto padded = [](float value) {
    Sketch s;
    const ValueId x =
        s.dq(s.q(s.input("x", {1, 1, 3, 3}), "q0", {1, 1, 3, 3}), "dq0", {1, 1, 3, 3});
    const ValueId wide = s.add("Pad", "pad",
                               {x, s.constant("ends", zeros_before_and_behind()),
                                s.constant("value", Tensor::scalar(value))},
                               DType::f32, image);
    return lowered(s.finish({s.dq(s.q(conv(s, wide, "conv"), "q1", image), "dq1", image)}),
                   {"fuse-pads", "mark-unsigned-codes", "fuse-qdq-conv"});
  };
  const Graph fused = padded(0.0f);
  EXPECT_EQ(operators(fused).count("Pad"), 0u);
  EXPECT_EQ(fused.node(fused.find_node("conv")).attrs.integers("pads"),
            (std::vector<std::int64_t>{0, 1, 1, 0}));
  EXPECT_EQ(operators(fused).at("QuantizeLinear"), 1);
  EXPECT_EQ(operators(padded(-0.0f)).count("Pad"), 1u);
  EXPECT_EQ(operators(padded(1.0f)).count("Pad"), 1u);
}

// Pad of x [2,2,6,5] to [2,2,7,6] -> pool of 2 by 2 windows with the attributes -> what `behind`
// adds.
template <class Behind>
Graph pool_behind_zeros(const std::string& op,
                        std::map<std::string, std::vector<std::int64_t>> lists,
                        std::int64_t ceil_mode, const Shape& shape, Behind&& behind) {
  Sketch s;
  const ValueId wide = s.add(
      "Pad", "pad", {s.input("x", {2, 2, 6, 5}), s.constant("ends", zeros_before_and_behind())},
      DType::f32, {2, 2, 7, 6});
  const ValueId y = s.add(op, "pool", {wide}, DType::f32, shape);
  Attrs& attrs = s.builder.node(s.builder.value(y).producer).attrs;
  attrs.set("kernel_shape", std::vector<std::int64_t>{2, 2});
  for (auto& [name, list] : lists) attrs.set(name, std::move(list));
  if (ceil_mode != 0) attrs.set("ceil_mode", ceil_mode);
  return lowered(s.finish({behind(s, y)}), {"fuse-pads"});
}
const auto nothing = [](Sketch&, ValueId y) { return y; };

TEST(Qdq, zeros_around_a_pool_become_its_padding_which_an_average_then_counts) {
  const Shape shape{2, 2, 6, 5};
  EXPECT_EQ(operators(pool_behind_zeros("MaxPool", {}, 0, shape, nothing)).count("Pad"), 0u);
  const Graph mean = pool_behind_zeros("AveragePool", {{"pads", {0, 0, 0, 0}}}, 0, shape, nothing);
  EXPECT_EQ(operators(mean).count("Pad"), 0u);
  EXPECT_EQ(mean.nodes()[0].attrs.integer("count_include_pad", 0), 1);
  EXPECT_EQ(operators(pool_behind_zeros("AveragePool", {{"pads", {0, 0, 1, 0}}}, 0, {2, 2, 7, 5},
                                        nothing))
                .count("Pad"),
            1u);
  EXPECT_EQ(
      operators(pool_behind_zeros("MaxPool", {{"pads", {0, 1, 0, 0}}}, 0, {2, 2, 6, 6}, nothing))
          .count("Pad"),
      1u)
      << "as wide as the window";
}

// The fused pool kept its fourth row of windows, and later planes landed in the wrong places.
TEST(Qdq, a_window_that_comes_to_start_in_the_padding_goes_and_shapes_behind_it_shrink) {
  for (const std::string op : {"MaxPool", "AveragePool"}) {
    const auto with = [&](auto&& behind) {
      return pool_behind_zeros(op, {{"strides", {2, 2}}}, 1, {2, 2, 4, 3}, behind);
    };
    const Graph alone = with(nothing);
    EXPECT_EQ(alone.value(alone.outputs()[0]).shape, (Shape{2, 2, 3, 3}));
    const Graph mapped = with([](Sketch& s, ValueId y) {
      return s.add("Relu", "relu", {y}, DType::f32, {2, 2, 4, 3});
    });
    EXPECT_EQ(mapped.value(mapped.outputs()[0]).shape, (Shape{2, 2, 3, 3}));
    const Graph added = with([](Sketch& s, ValueId y) {
      const ValueId row =
          s.constant("rows", Tensor::of<float>({4, 1}, std::vector<float>{1, 2, 3, 4}));
      return s.add("Add", "add", {y, row}, DType::f32, {2, 2, 4, 3});
    });
    EXPECT_EQ(operators(added).count("Pad"), 1u);
    EXPECT_EQ(added.value(added.outputs()[0]).shape, (Shape{2, 2, 4, 3}));
  }
}

// w = 3, b = 5: a factor of 2, then 1 more, then (.. - 1) * 4 / sqrt(3 + 1) + 7.
TEST(Qdq, what_follows_a_conv_of_float_weights_goes_into_them) {
  Sketch s;
  const auto reals = [&](const std::string& name, Shape shape, float v) {
    return s.constant(name, Tensor::of<float>(std::move(shape), std::vector<float>{v}));
  };
  const ValueId w = reals("w", {1, 1, 1, 1}, 3), b = reals("b", {1}, 5);
  ValueId y = s.add("Conv", "conv", {s.input("x", image), w, b}, DType::f32, image);
  y = s.add("Mul", "mul", {y, s.constant("two", Tensor::scalar(2.0f))}, DType::f32, image);
  y = s.add("Add", "add", {y, reals("one", {1, 1, 1}, 1)}, DType::f32, image);
  y = s.add("BatchNormalization", "bn",
            {y, reals("factor", {1}, 4), reals("shift", {1}, 7), reals("mean", {1}, 1),
             reals("variance", {1}, 3)},
            DType::f32, image);
  s.builder.node(s.builder.value(y).producer).attrs.set("epsilon", 1.0);
  y = s.add("Add", "last", {y, s.constant("number", Tensor::scalar(1.0f))}, DType::f32,
            image);  // Add takes no number
  const Graph g =
      lowered(s.finish({s.add("Relu", "relu", {y}, DType::f32, image)}), {"fuse-conv-constants"});
  EXPECT_EQ(operators(g), (std::map<std::string, int>{{"Add", 1}, {"Conv", 1}, {"Relu", 1}}));
  const Node& conv = g.node(g.find_node("conv"));
  EXPECT_EQ(g.value(conv.inputs[1]).constant->number(0), 12);                  // 3 * 2 * 2
  EXPECT_EQ(g.value(conv.inputs[2]).constant->number(0), (11.0 - 1) * 2 + 7);  // 5 * 2 + 1 = 11
}

// Files that list their weights among the inputs: a caller may replace them.
TEST(Qdq, weights_that_a_caller_may_replace_take_nothing_in) {
  Sketch s;
  const ValueId w = s.constant("w", Tensor::of<float>({1, 1, 1, 1}, std::vector<float>{3}));
  ValueId y = s.add("Conv", "conv", {s.input("x", image), w}, DType::f32, image);
  y = s.add("Mul", "mul", {y, s.constant("two", Tensor::scalar(2.0f))}, DType::f32, image);
  s.builder.value(w).folded = true;
  const Graph g =
      lowered(s.finish({s.add("Relu", "relu", {y}, DType::f32, image)}), {"fuse-conv-constants"});
  EXPECT_EQ(operators(g), (std::map<std::string, int>{{"Conv", 1}, {"Mul", 1}, {"Relu", 1}}));
}

TEST(Qdq, two_quantizations_in_a_row_become_one_in_16_bits_too) {
  Sketch s;
  ValueId y = s.input("x", {1, 4});
  for (const float step : {1.0f, 2.0f}) {
    const std::string name = step == 1.0f ? "fine" : "coarse";
    const ValueId scale = s.constant(name, Tensor::scalar(step)),
                  zero = s.constant(name + "_zero", Tensor::scalar(std::int16_t{0}));
    y = s.add("QuantizeLinear", name + "_q", {y, scale, zero}, DType::i16, {1, 4});
    y = s.add("DequantizeLinear", name + "_dq", {y, scale, zero}, DType::f32, {1, 4});
  }
  const auto count = operators(
      lowered(s.finish({s.add("Relu", "relu", {y}, DType::f32, {1, 4})}), {"remove-double-qdq"}));
  EXPECT_EQ(count.at("QuantizeLinear"), 1);
  EXPECT_EQ(count.at("DequantizeLinear"), 1);
}

// The runtime's Gemm of codes wants the zero points of both operands to stand there.
TEST(Qdq, a_gemm_without_a_zero_point_stays_in_float) {
  for (const bool there : {false, true}) {
    Sketch s;
    const auto bytes = [&](const std::string& name, ValueId codes, std::vector<ValueId> operands) {
      operands.insert(operands.begin(), codes);
      return s.add("DequantizeLinear", name, std::move(operands), DType::f32, {4, 4});
    };
    const ValueId zero = s.constant("byte_zero", Tensor::scalar(std::uint8_t{0}));
    const std::vector<ValueId> whole{s.scale, zero},
        of_x = there ? whole : std::vector<ValueId>{s.scale};
    std::vector<ValueId> q{s.input("x", {4, 4})};
    q.insert(q.end(), of_x.begin(), of_x.end());
    const ValueId x = bytes("x_dq", s.add("QuantizeLinear", "x_q", q, DType::u8, {4, 4}), of_x);
    const ValueId w = bytes("w_dq", s.constant("w", Tensor(DType::u8, {4, 4})), whole);
    const ValueId y = s.add("Gemm", "gemm", {x, w}, DType::f32, {4, 4});
    const ValueId codes = s.add("QuantizeLinear", "y_q", {y, s.scale, zero}, DType::u8, {4, 4});
    const Graph g = lowered(s.finish({bytes("y_dq", codes, whole)}), {"fuse-qdq-dense"});
    EXPECT_EQ(operators(g).at("QuantizeLinear"), there ? 1 : 2);
  }
}

// Code 0 around codes of zero point -128 is no zero; the runtime's convolution of codes takes no
// Pad.
TEST(Qdq, a_pad_before_a_convolution_of_codes_stays) {
  Sketch s;
  const ValueId ends = s.constant(
      "ends", Tensor::of<std::int64_t>({8}, std::vector<std::int64_t>{0, 0, 0, 1, 0, 0, 1, 0}));
  const ValueId wide = s.add(
      "Pad", "pad", {s.q(s.input("x", {1, 1, 3, 3}), "q", {1, 1, 3, 3}), ends}, DType::i8, image);
  const ValueId w = s.constant("w", Tensor(DType::i8, {1, 1, 1, 1}));
  const Graph g =
      lowered(s.finish({s.add("Conv", "conv", {wide, w}, DType::i8, image)}), {"fuse-pads"});
  EXPECT_EQ(operators(g).count("Pad"), 1u);
}

}  // namespace
}  // namespace lockstep
