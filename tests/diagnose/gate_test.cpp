#include "diagnose/gate.h"

#include "diagnose/judge.h"
#include "support/nets.h"

namespace lockstep {
namespace {

// x -> Relu "a", x -> Relu "b"; both are outputs.
Graph two_outputs() {
  GraphBuilder b("two", "onnx");
  const auto value = [&](const char* name) {
    Value v;
    v.name = name;
    v.shape = {1, 8};
    return b.add_value(v);
  };
  const ValueId x = value("x");
  b.add_input(x);
  for (const char* name : {"a", "b"}) {
    Node node;
    node.name = std::string("relu_") + name;
    node.op = "Relu";
    node.inputs = {x};
    node.outputs = {value(name)};
    b.add_output(node.outputs[0]);
    b.add_node(node);
  }
  auto graph = std::move(b).finish();
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
  return std::move(graph).value();
}

// Samples of ones, judged by `cosine:N`; what the device showed is `device`.
struct Gate {
  Graph graph = two_outputs();
  Executor reference = test::executor(graph);
  std::vector<Sample> sent, device;

  explicit Gate(int samples) {
    for (int s = 0; s < samples; ++s) {
      Tensor x(DType::f32, {1, 8});
      for (std::int64_t i = 0; i < 8; ++i) x.set_number(i, 1);
      sent.push_back({{"x", x}});
      device.push_back({{"x", x}, {"a", x}, {"b", x}});
    }
  }
  Result<Verdict> judged(double least) const {
    const auto expected = reference.run(sent)->samples;
    return judge({.reference = reference,
                  .recorded = {sent, expected, device, StateMode::reset},
                  .tolerance = {.kind = Tolerance::Kind::cosine, .cosine = least},
                  .others = {},
                  .search = {},
                  .model = "two.onnx",
                  .target = "device.npz",
                  .input = "x.npz"});
  }
};

TEST(Gate, a_missing_output_is_an_error_though_the_other_meets_the_gate) {
  Gate gate(1);
  EXPECT_TRUE(gate.judged(0.99)->healthy);
  gate.device[0].erase("b");
  const auto v = gate.judged(0.99);
  ASSERT_FALSE(v.ok());
  EXPECT_NE(v.error().line().find("output 'b' is not among what was compared"), std::string::npos)
      << v.error().line();
}

TEST(Gate, no_output_at_all_is_an_error) {
  Gate gate(1);
  gate.device[0].erase("a");
  gate.device[0].erase("b");
  const auto v = gate.judged(0.99);
  ASSERT_FALSE(v.ok());
  EXPECT_NE(v.error().line().find("no output of the network is among what was compared"),
            std::string::npos)
      << v.error().line();
}

// Of 8 ones in each of 4 samples, one sample's are half zeros: 28 / sqrt(32 * 28) joined, 4 /
// sqrt(8 * 4) alone.
TEST(Gate, the_cosine_is_of_all_samples_joined) {
  Gate gate(4);
  for (std::int64_t i = 0; i < 4; ++i) gate.device[2].at("b").set_number(i, 0);
  EXPECT_TRUE(gate.judged(0.93)->healthy);
  const auto v = gate.judged(0.94);
  ASSERT_TRUE(v.ok());
  EXPECT_FALSE(v->healthy);
  EXPECT_NE(v->summary.find("cosine 0.93541 at 'b'"), std::string::npos) << v->summary;
}

}  // namespace
}  // namespace lockstep
