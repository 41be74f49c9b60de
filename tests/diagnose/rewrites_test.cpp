// Which workaround holds is computed under the found fault, not asserted.
#include "diagnose/rewrites.h"

#include <gtest/gtest.h>

#include "diagnose/fold_identity.h"
#include "diagnose/session.h"
#include "import/import.h"
#include "support/folders.h"
#include "support/nets.h"

namespace lockstep {
namespace {

std::vector<Rewrite> rewrites_under(const std::string& fault,
                                    const std::string& model = "/examples/s1/tcn_int8.onnx",
                                    const std::string& input = "/examples/s1/golden.npz") {
  Request q;
  q.model = test::source_folder() + model;
  q.input = test::source_folder() + input;
  q.target = "sim:" + fault;
  const auto made = answer(q);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().line());
  return made->verdict.rewrites;
}

const Rewrite& named(const std::vector<Rewrite>& all, const std::string& begin) {
  for (const Rewrite& r : all)
    if (r.text.starts_with(begin)) return r;
  ADD_FAILURE() << "no rewrite " << begin;
  static const Rewrite none;
  return none;
}

TEST(Rewrites, a_lost_operand_is_lost_to_concat_and_convolution_as_well) {
  const auto all = rewrites_under("operand-lost@/block2/add,operand=2");
  EXPECT_TRUE(named(all, "this operation on the CPU").holds);
  EXPECT_FALSE(named(all, "Concat + 1x1").holds);
  EXPECT_FALSE(named(all, "16-bit activations").holds);
  EXPECT_FALSE(named(all, "output scale twice").holds);
  EXPECT_TRUE(named(all, "identity folded").holds);  // reads x once
}

TEST(Rewrites, a_wrong_factor_stays_wrong_in_finer_steps) {
  const auto all = rewrites_under("operand-rescale@/block2/add,operand=2,k=0.5");
  EXPECT_FALSE(named(all, "16-bit activations").holds);
  EXPECT_FALSE(named(all, "Concat + 1x1").holds);
  EXPECT_NEAR(named(all, "16-bit activations").cosine, 0.98985,
              0.002);  // as it is: the factor is the same
  EXPECT_TRUE(named(all, "one scale for both operands (").holds);
  for (std::size_t i = 1; i < all.size(); ++i)
    EXPECT_TRUE(all[i - 1].holds > all[i].holds ||
                (all[i - 1].holds == all[i].holds && all[i - 1].cosine >= all[i].cosine));
}

TEST(Rewrites, of_a_convolution_whose_operand_is_lost_only_another_processor_helps) {
  const auto all = rewrites_under("operand-lost@/head/fc1");
  EXPECT_TRUE(named(all, "this operation on the CPU").holds);
  EXPECT_FALSE(named(all, "split into 4 groups").holds);
  EXPECT_FALSE(named(all, "output scale twice").holds);
}

std::vector<Rewrite> of_words(const std::string& fault) {
  return rewrites_under(fault, "/examples/s3/words_int8.onnx", "/examples/s3/dumps.npz");
}

TEST(Rewrites, groups_of_channels_hold_where_an_accumulator_wraps) {
  const auto all = of_words("accumulator-16bit@/ds1/pointwise,shift=0,wraps=1");
  EXPECT_TRUE(named(all, "split into 2 groups").holds);
  EXPECT_TRUE(named(all, "weights of 7 bits").holds);
  EXPECT_FALSE(named(all, "output scale twice").holds);
  EXPECT_NE(named(all, "this operation on the CPU").text.find("ms for"), std::string::npos);
}

TEST(Rewrites, padding_of_its_own_holds_where_the_zero_point_of_the_padding_is_lost) {
  const auto all = of_words("pads-with-zero-code@/ds1/depthwise");
  EXPECT_TRUE(named(all, "padding as an operation of its own").holds);
  EXPECT_TRUE(named(all, "input quantized symmetrically").holds);
  EXPECT_FALSE(named(all, "weights of 7 bits").holds);
}

TEST(FoldIdentity, gives_the_sum_where_the_weights_keep_their_steps) {
  const auto graph = import_model(test::source_folder() + "/examples/s1/tcn_int8.onnx");
  ASSERT_TRUE(graph.ok());
  const Executor reals = test::executor(*graph, "float"), codes = test::executor(*graph, "ort");
  const NodeId sum = codes.graph().find_node("/block1/add");
  const auto folded = fold_identity(codes, sum, true);
  ASSERT_TRUE(folded);
  EXPECT_GT(folded->vanished, 0);
  EXPECT_LT(folded->vanished, 1);
  const auto samples = test::random_samples(*graph, 1);
  const Node& node = codes.graph().node(sum);
  const std::string x = codes.graph().value(node.inputs[folded->identity]).name,
                    y = codes.graph().value(node.outputs[0]).name;
  const auto made = reals.run(samples, std::vector<std::string>{x, y});
  ASSERT_TRUE(made.ok()) << made.error().line();
  const auto again = folded->run(made->samples[0].at(x), {});
  ASSERT_TRUE(again.ok()) << again.error().line();
  const auto m = measure(made->samples[0].at(y), *again, {});
  EXPECT_GT(m->cosine, 0.99);
  EXPECT_FALSE(m->identical());  // the weights did lose something
}

TEST(FoldIdentity, wants_a_convolution_of_the_same_tensor) {
  const auto graph = import_model(test::source_folder() + "/examples/s1/tcn_int8.onnx");
  const Executor codes = test::executor(*graph, "ort");
  EXPECT_FALSE(fold_identity(codes, codes.graph().find_node("/in_proj/conv"), true));
}

// What would hold under a fault of the graph, judged from all tensors.
std::vector<Rewrite> rewrites_of(const Graph& graph, const std::string& fault) {
  const Executor reference = test::executor(graph, "tflite");
  const auto sent = test::random_samples(graph, 4);
  const auto expected = reference.run(sent)->samples;
  auto specs = parse_faults(fault);
  EXPECT_TRUE(specs.ok());
  auto faulty = inject(reference, *specs);
  EXPECT_TRUE(faulty.ok()) << (faulty.ok() ? "" : faulty.error().line());
  const auto device = reference.run(sent, {}, *faulty)->samples;
  const auto v = judge({.reference = reference,
                        .recorded = {sent, expected, device, StateMode::reset},
                        .tolerance = {},
                        .others = {},
                        .search = {},
                        .model = "two.tflite",
                        .target = "d",
                        .input = "x"});
  EXPECT_TRUE(v.ok());
  EXPECT_FALSE(v->suspects.empty());
  return v->rewrites;
}

// A combination of two operands of unlike scales, with a fault at it, judged from all tensors.
std::vector<Rewrite> of_two(const std::string& op, const std::string& fault) {
  GraphBuilder b("two.tflite", "tflite");
  const auto value = [&](const char* name, double scale, std::int32_t zero, std::int64_t channels) {
    Value v;
    v.name = name;
    v.shape = {1, 4, 4, channels};
    v.dtype = DType::i8;
    v.quant = {{scale}, {zero}, -1};
    return b.add_value(std::move(v));
  };
  const bool joins = op == "Concat";
  const ValueId a = value("a", 0.02, 3, 8), c = value("c", 0.05, -7, 8),
                y = value("y", 0.05, joins ? -7 : 5, joins ? 16 : 8);
  Node node{"both", op, {}, {a, c}, {y}, {}};
  if (joins) node.attrs.set("axis", std::int64_t{3});
  b.add_node(std::move(node));
  b.add_input(a);
  b.add_input(c);
  b.add_output(y);
  auto graph = std::move(b).finish();
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
  return rewrites_of(*graph, fault);
}

TEST(Rewrites, of_a_concat_that_copies_codes_equal_scales_hold) {
  const auto all = of_two("Concat", "concat-not-rescaled");
  EXPECT_TRUE(named(all, "this operation on the CPU").holds);
  EXPECT_TRUE(named(all, "every operand requantized to the output's scale beforehand").holds);
  EXPECT_FALSE(named(all, "output scale twice").holds);
}

TEST(Rewrites, of_a_product_that_ignores_a_zero_point_symmetric_operands_hold) {
  const auto all = of_two("Mul", "zero-point-ignored@both");
  EXPECT_TRUE(named(all, "this operation on the CPU").holds);
  EXPECT_TRUE(named(all, "operands quantized symmetrically").holds);
  EXPECT_FALSE(named(all, "output scale twice").holds);
}

// A dense layer of TFLite over a plane, which it flattens without an operator of its own.
std::vector<Rewrite> of_flattened(const std::string& fault) {
  GraphBuilder b("dense.tflite", "tflite");
  const auto value = [&](const char* name, Shape shape, double scale) {
    Value v;
    v.name = name;
    v.shape = std::move(shape);
    v.dtype = DType::i8;
    v.quant = {{scale}, {0}, -1};
    return v;
  };
  Value weights = value("w", {3, 4 * 4 * 8}, 0.01);
  Tensor codes(DType::i8, weights.shape);
  for (std::int64_t i = 0; i < codes.count(); ++i) codes.set_code(i, 100 - (i * 37) % 150);
  weights.constant = std::make_shared<const Tensor>(std::move(codes));
  const ValueId x = b.add_value(value("x", {1, 4, 4, 8}, 0.02)),
                w = b.add_value(std::move(weights)), y = b.add_value(value("y", {1, 3}, 0.1));
  Node node{"dense", "Gemm", {}, {x, w}, {y}, {}};
  node.attrs.set("transB", std::int64_t{1});
  node.attrs.set("flatten", std::int64_t{1});
  b.add_node(std::move(node));
  b.add_input(x);
  b.add_output(y);
  auto graph = std::move(b).finish();
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
  return rewrites_of(*graph, fault);
}

TEST(Rewrites, a_dense_layer_that_flattens_its_operand_is_split_by_its_products) {
  const auto all = of_flattened("accumulator-16bit@dense,shift=0,wraps=1");
  EXPECT_GT(named(all, "split into 8 groups").cosine, named(all, "output scale twice").cosine);
}

}  // namespace
}  // namespace lockstep
