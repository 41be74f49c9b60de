#include <gtest/gtest.h>

#include "diagnose/judge.h"
#include "support/nets.h"

namespace lockstep {
namespace {

// An unexplained operation of x -> r1 -> r2 -> r3 -> y on a device whose input bytes were not
// recorded.
std::string next_for(const std::string& node, const std::string& tensor,
                     const std::string& input = "", std::string_view arithmetic = "ort") {
  const Graph g = test::relu_chain();
  const Executor reference = test::executor(g, arithmetic);
  std::vector<Sample> device(1);
  device[0].emplace(tensor, Tensor(DType::f32, {1, 4, 6, 6}));
  const Case c{.reference = reference,
               .recorded = {{}, {}, device, StateMode::reset},
               .tolerance = {},
               .others = {},
               .search = {},
               .carriers = {},
               .model = "m",
               .target = "t",
               .input = input,
               .units = {},
               .asked = " --state keep",
               .generated = " --samples 3 --seed 7"};
  Verdict v;
  Row row;
  row.value = g.find_value(tensor);
  row.node = g.find_node(node);
  row.segment = {row.node};
  row.tensor = tensor;
  v.comparison.rows = {row};
  v.suspects.resize(1);
  std::string all;
  for (const std::string& line : capture_next(c, v)) all += line + "\n";
  return all;
}

TEST(CaptureNext, asks_for_the_input_bytes_only_where_the_operation_reads_them) {
  EXPECT_NE(next_for("r1", "t1").find("record the input bytes"), std::string::npos)
      << next_for("r1", "t1");
  EXPECT_EQ(next_for("r2", "t2").find("record the input bytes"), std::string::npos)
      << next_for("r2", "t2");
}

// A printed command asked for the usual arithmetic, states and random inputs again, whatever the
// user had asked for.
TEST(CaptureNext, prints_commands_that_ask_what_was_asked) {
  const std::string other = next_for("r2", "t2", "x y.npz", "ort-noopt");
  EXPECT_NE(other.find("lockstep diagnose m --target captures.npz --input 'x y.npz' --reference "
                       "ort-noopt --state keep"),
            std::string::npos)
      << other;
  EXPECT_NE(other.find("--arith ort-noopt --state keep --tensor"), std::string::npos) << other;
  const std::string usual = next_for("r2", "t2");
  EXPECT_EQ(usual.find("--reference"), std::string::npos) << usual;
  EXPECT_NE(usual.find("--state keep --samples 3 --seed 7 --tensor"), std::string::npos) << usual;
}

TEST(CaptureNext, quotes_words_as_a_shell_takes_them) {
  EXPECT_EQ(quoted("/block2/add"), "/block2/add");
  EXPECT_EQ(quoted("a;b"), "'a;b'");
  EXPECT_EQ(quoted("l'eau"), "'l'\\''eau'");
}

// Between captured codes lay a DequantizeLinear, an operation and a QuantizeLinear: the advice was
// to record its reals, which no device makes.
TEST(CaptureNext, does_not_ask_for_what_an_operations_own_quantizers_hold) {
  GraphBuilder b("m", "onnx");
  ValueId ids[4];
  for (int i = 0; i < 4; ++i) {
    Value v;
    v.name = "v" + std::to_string(i);
    v.shape = {1, 4};
    v.dtype = i % 3 == 0 ? DType::i8 : DType::f32;
    if (i % 3 == 0) v.quant = {.scale = {0.5}, .zero = {0}};
    ids[i] = b.add_value(v);
  }
  Value scale;
  scale.name = "scale";
  scale.constant = std::make_shared<const Tensor>(Tensor::of<float>({}, std::vector<float>{0.5F}));
  Value zero;
  zero.name = "zero";
  zero.dtype = DType::i8;
  zero.constant =
      std::make_shared<const Tensor>(Tensor::of<std::int8_t>({}, std::vector<std::int8_t>{0}));
  const ValueId step = b.add_value(scale), origin = b.add_value(zero);
  const auto add = [&](const std::string& op, int i) {
    Node n;
    n.name = op;
    n.op = op;
    n.inputs = {ids[i]};
    if (op != "Relu") n.inputs.insert(n.inputs.end(), {step, origin});
    n.outputs = {ids[i + 1]};
    b.add_node(n);
  };
  add("DequantizeLinear", 0), add("Relu", 1), add("QuantizeLinear", 2);
  b.add_input(ids[0]);
  b.add_output(ids[3]);
  const Executor reference = test::executor(std::move(std::move(b).finish()).value(), "ort-noopt");
  const Graph& g = reference.graph();
  ASSERT_EQ(g.nodes().size(), 3u);
  Row row;
  row.value = g.find_value("v3");
  row.node = g.find_node("QuantizeLinear");
  row.segment = {g.find_node("DequantizeLinear"), g.find_node("Relu"), row.node};
  row.tensor = "v3";
  const Case c{.reference = reference,
               .recorded = {{}, {}, {}, StateMode::reset},
               .tolerance = {},
               .others = {},
               .search = {},
               .carriers = {},
               .model = "m",
               .target = "t",
               .input = "",
               .units = {}};
  EXPECT_TRUE(capture_inside(c, row).empty());
}

}  // namespace
}  // namespace lockstep
