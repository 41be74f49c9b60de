#include "op/op_move.h"

#include <gtest/gtest.h>

#include <map>

#include "import/import.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::tensor;
using I = std::int64_t;
using I32 = std::int32_t;

struct Read {
  std::string op;
  std::vector<Tensor> y;
};

using NamedAttrs = std::map<std::string, AttrValue, std::less<>>;

// A foreign operation on constants, mapped, settled and folded as an importer does it.
Result<Read> read(Format format, std::string op, NamedAttrs attrs,
                  const std::vector<Tensor>& inputs, std::size_t outputs = 1,
                  DType declared = DType::f32) {
  GraphBuilder graph("m", format == Format::onnx ? "onnx" : "tflite");
  ForeignNode foreign{format, op, 1, "node", "m: " + op, {}, {}, {}};
  foreign.attrs.values = std::move(attrs);
  for (const Tensor& x : inputs) {
    Value v;
    v.name = "x" + std::to_string(foreign.inputs.size());
    v.dtype = x.dtype();
    v.shape = x.shape();
    v.constant = std::make_shared<const Tensor>(x);
    foreign.inputs.push_back(graph.add_value(std::move(v)));
  }
  for (std::size_t i = 0; i < outputs; ++i) {
    Value v;
    v.name = "y" + std::to_string(i);
    v.dtype = declared;
    foreign.outputs.push_back(graph.add_value(std::move(v)));
  }
  const ForeignMatch match = find_foreign(format, op);
  if (!match.op) return Error{op, "no such operator", "", ""};
  if (match.foreign->map) {
    LOCKSTEP_CHECK(match.foreign->map(foreign, graph));
  } else {
    LOCKSTEP_CHECK(add_like(foreign, graph, match.op->name, foreign.inputs, foreign.attrs));
  }
  LOCKSTEP_CHECK(settle_nodes(graph, 0));
  Read result{graph.so_far().nodes()[0].op, {}};
  for (const ValueId y : foreign.outputs) result.y.push_back(*graph.value(y).constant);
  return result;
}

Tensor folded(Format format, std::string op, NamedAttrs attrs, const std::vector<Tensor>& inputs,
              DType declared = DType::f32) {
  const auto result = read(format, std::move(op), std::move(attrs), inputs, 1, declared);
  if (result.ok()) return result->y[0];
  ADD_FAILURE() << result.error().line();
  return {};
}

const Tensor square = tensor<float>({2, 2}, {1, 2, 3, 4});

TEST(MovesFromTFLite, a_shape_is_an_input_or_an_option_and_0_is_an_extent) {
  EXPECT_EQ(folded(Format::tflite, "RESHAPE", {}, {square, tensor<I32>({1}, {-1})}).shape(),
            (Shape{4}));
  EXPECT_EQ(folded(Format::tflite, "RESHAPE", {{"new_shape", Shape{4, 1}}}, {square}).shape(),
            (Shape{4, 1}));
  EXPECT_FALSE(read(Format::tflite, "RESHAPE", {{"new_shape", Shape{0, 2}}}, {square}).ok());
  EXPECT_EQ(folded(Format::tflite, "RESHAPE", {{"new_shape", Shape{0}}}, {tensor<float>({1}, {5})})
                .shape(),
            Shape{});
}

TEST(MovesFromTFLite, fill_and_broadcast_expand) {
  EXPECT_EQ(folded(Format::tflite, "FILL", {}, {tensor<I32>({2}, {1, 2}), tensor<I32>({}, {7})},
                   DType::i32),
            tensor<I32>({1, 2}, {7, 7}));
  EXPECT_EQ(
      folded(Format::tflite, "BROADCAST_TO", {}, {tensor<float>({1}, {3}), tensor<I32>({1}, {2})}),
      tensor<float>({2}, {3, 3}));
}

TEST(MovesFromTFLite, split_takes_its_axis_from_a_constant) {
  const auto equal =
      read(Format::tflite, "SPLIT", {{"num_splits", I{2}}}, {tensor<I32>({}, {1}), square}, 2);
  ASSERT_TRUE(equal.ok()) << equal.error().line();
  EXPECT_EQ(equal->y[1], tensor<float>({2, 1}, {2, 4}));
  const auto given = read(Format::tflite, "SPLIT_V", {},
                          {square, tensor<I32>({2}, {-1, 1}), tensor<I32>({}, {0})}, 2);
  ASSERT_TRUE(given.ok()) << given.error().line();
  EXPECT_EQ(given->y[0], tensor<float>({1, 2}, {1, 2}));
}

TEST(MovesFromTFLite, pads_stand_in_pairs) {
  EXPECT_EQ(folded(Format::tflite, "PAD", {}, {square, tensor<I32>({2, 2}, {1, 0, 0, 1})}),
            tensor<float>({3, 3}, {0, 0, 0, 1, 2, 0, 3, 4, 0}));
  EXPECT_EQ(folded(Format::tflite, "PADV2", {},
                   {square, tensor<I32>({2, 2}, {0, 0, 1, 0}), tensor<float>({1}, {9})}),
            tensor<float>({2, 3}, {9, 1, 2, 9, 3, 4}));
  EXPECT_EQ(folded(Format::tflite, "MIRROR_PAD", {{"mode", std::string("SYMMETRIC")}},
                   {square, tensor<I32>({2, 2}, {0, 0, 1, 0})}),
            tensor<float>({2, 3}, {1, 1, 2, 3, 3, 4}));
}

TEST(MovesFromTFLite, options_keep_their_meaning_when_left_out) {
  EXPECT_EQ(folded(Format::tflite, "CONCATENATION", {}, {square, square}).shape(), (Shape{4, 2}));
  EXPECT_EQ(folded(Format::tflite, "PACK", {}, {square, square}).shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(folded(Format::tflite, "SQUEEZE", {}, {tensor<float>({1, 1}, {5})}).shape(), Shape{});
  EXPECT_EQ(folded(Format::tflite, "SHAPE", {}, {square}, DType::i32), tensor<I32>({2}, {2, 2}));
  EXPECT_EQ(folded(Format::tflite, "CAST", {}, {square}, DType::i32),
            tensor<I32>({2, 2}, {1, 2, 3, 4}));
  EXPECT_FALSE(read(Format::tflite, "CONCATENATION",
                    {{"fused_activation_function", std::string("RELU")}}, {square})
                   .ok());
}

TEST(MovesFromTFLite, arg_max_drops_the_axis) {
  EXPECT_EQ(folded(Format::tflite, "ARG_MAX", {{"output_type", std::string("INT32")}},
                   {square, tensor<I32>({1}, {-1})}, DType::i32),
            tensor<I32>({2}, {1, 1}));
}

TEST(MovesFromTFLite, one_hot_has_on_and_off_apart) {
  EXPECT_EQ(folded(Format::tflite, "ONE_HOT", {{"axis", I{-1}}},
                   {tensor<I32>({2}, {1, -1}), tensor<I32>({}, {2}), tensor<float>({}, {5}),
                    tensor<float>({}, {1})}),
            tensor<float>({2, 2}, {1, 5, 1, 1}));
}

TEST(MovesFromTFLite, blocks_and_slices_count_by_their_options) {
  EXPECT_EQ(folded(Format::tflite, "SPACE_TO_DEPTH", {{"block_size", I{2}}},
                   {tensor<float>({1, 2, 2, 1}, {1, 2, 3, 4})}),
            tensor<float>({1, 1, 1, 4}, {1, 2, 3, 4}));
  EXPECT_EQ(folded(Format::tflite, "SLICE", {},
                   {square, tensor<I32>({2}, {0, 1}), tensor<I32>({2}, {-1, 1})}),
            tensor<float>({2, 1}, {2, 4}));
}

TEST(MovesFromONNX, type_numbers_name_types) {
  EXPECT_EQ(folded(Format::onnx, "Cast", {{"to", I{7}}}, {square}),
            tensor<I>({2, 2}, {1, 2, 3, 4}));
  EXPECT_FALSE(read(Format::onnx, "Cast", {{"to", I{17}}}, {square}).ok());
  EXPECT_EQ(folded(Format::onnx, "CastLike", {}, {square, tensor<I32>({}, {0})}),
            tensor<I32>({2, 2}, {1, 2, 3, 4}));
}

TEST(MovesFromONNX, dropout_drops_nothing_and_has_no_mask) {
  EXPECT_EQ(folded(Format::onnx, "Dropout", {{"ratio", 0.5}}, {square}), square);
  EXPECT_FALSE(read(Format::onnx, "Dropout", {}, {square}, 2).ok());
}

}  // namespace
}  // namespace lockstep
