#include "diagnose/judge.h"

#include "support/nets.h"
#include "target/target.h"

namespace lockstep {
namespace {

// Runs a virtual device on a chain of Relus and judges it; `hidden` tensors are not captured.
struct Bench {
  Graph graph = test::relu_chain(3);
  Executor reference = test::executor(graph);
  std::vector<Sample> sent = test::random_samples(graph, 2);
  std::vector<Sample> expected = reference.run(sent)->samples;
  std::vector<Sample> device;

  Result<Verdict> judged(const std::string& uri, const std::vector<std::string>& hidden = {}) {
    auto target = open_target(uri, {graph, *find_arithmetic("float"), StateMode::reset});
    EXPECT_TRUE(target.ok()) << (target.ok() ? "" : target.error().line());
    device = (*target)->run(sent, {})->samples;
    for (Sample& s : device)
      for (const std::string& name : hidden) s.erase(name);
    return judge({.reference = reference,
                  .recorded = {sent, expected, device, StateMode::reset},
                  .tolerance = {},
                  .others = {},
                  .search = {},
                  .model = "chain.onnx",
                  .target = uri,
                  .input = "x.npz"});
  }
};

TEST(Judge, the_reference_itself_is_healthy) {
  Bench b;
  const auto v = b.judged("float");
  ASSERT_TRUE(v.ok());
  EXPECT_TRUE(v->healthy);
  EXPECT_TRUE(v->suspects.empty());
}

TEST(Judge, an_injected_fault_is_named_at_its_place_with_all_its_values) {
  Bench b;
  const auto v = b.judged("sim:clamp-lost@r1");
  ASSERT_TRUE(v.ok());
  EXPECT_FALSE(v->healthy);
  ASSERT_FALSE(v->suspects.empty());
  EXPECT_EQ(v->comparison.rows[v->suspects[0].row].name, "r1");
  const Explanation* cause = v->suspects[0].cause();
  ASSERT_NE(cause, nullptr);
  EXPECT_EQ(cause->fault->name, "clamp-lost");
  EXPECT_EQ(cause->matching(), cause->values);
  EXPECT_GT(cause->differing, 0);
  EXPECT_EQ(cause->spoiled, 0);
  EXPECT_FALSE(v->advice.empty());
  ASSERT_EQ(v->repairs.size(), 1u);
  EXPECT_DOUBLE_EQ(v->repairs[0].cosine, 1);
}

TEST(Judge, a_fault_that_the_next_operation_hides_is_not_seen_at_the_outputs) {
  Bench b;
  const auto v = b.judged("sim:clamp-lost@r1", {"t1", "t2"});
  ASSERT_TRUE(v.ok());
  EXPECT_TRUE(v->healthy);
}

TEST(Judge, with_outputs_only_what_reproduces_a_part_is_no_cause) {
  Bench b;
  // Half of the output is the network's input, as if it were copied; in the other half negatives
  // leak through.
  b.device = b.expected;
  for (std::size_t s = 0; s < b.device.size(); ++s) {
    Tensor& y = b.device[s].at("y");
    for (std::int64_t i = 0; i < y.count(); ++i) {
      const double x = b.sent[s].at("x").number(i);
      y.set_number(i, i < y.count() / 2 || x > 0 ? x : 0.1 * x);
    }
    b.device[s].erase("t1");
    b.device[s].erase("t2");
  }
  const auto v = judge({.reference = b.reference,
                        .recorded = {b.sent, b.expected, b.device, StateMode::reset},
                        .tolerance = {},
                        .others = {},
                        .search = {},
                        .model = "chain.onnx",
                        .target = "c.npz",
                        .input = "x.npz"});
  ASSERT_TRUE(v.ok());
  EXPECT_FALSE(v->healthy);
  EXPECT_TRUE(v->unexplained()) << v->suspects.at(0).ranked.at(0).spec;
  EXPECT_FALSE(v->next.empty());
  EXPECT_GT(v->suspects.at(0).tried, 3);
}

TEST(Judge, an_input_fault_is_found_at_the_first_operation_that_reads_it) {
  Bench b;
  const auto v = b.judged("sim:input-as-nhwc");
  ASSERT_TRUE(v.ok());
  EXPECT_EQ(v->comparison.rows[v->suspects.at(0).row].name, "r1");
  const Explanation* cause = v->suspects[0].cause();
  ASSERT_NE(cause, nullptr);
  EXPECT_EQ(cause->fault->name, "input-as-nhwc");
  EXPECT_EQ(cause->matching(), cause->values);
}

// Q [1,4,6,6] of a real picture: the first operation of most networks.
Graph quantizer() {
  GraphBuilder b("quantizer", "onnx");
  Value x, y;
  x.name = "x";
  x.shape = {1, 4, 6, 6};
  y.name = "y";
  y.shape = x.shape;
  y.dtype = DType::i8;
  y.quant = {{0.02}, {3}, -1};
  const auto constant = [&](const char* name, Tensor t) {
    Value v;
    v.name = name;
    v.shape = {};
    v.dtype = t.dtype();
    v.constant = std::make_shared<const Tensor>(std::move(t));
    return b.add_value(std::move(v));
  };
  const ValueId in = b.add_value(x), scale = constant("scale", Tensor::scalar(0.02f));
  const ValueId zero = constant("zero", Tensor::scalar(std::int8_t{3})), out = b.add_value(y);
  b.add_node({"quantize", "QuantizeLinear", {}, {in, scale, zero}, {out}, {}});
  b.add_input(in);
  b.add_output(out);
  auto graph = std::move(b).finish();
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
  return std::move(graph).value();
}

TEST(Judge, a_stale_or_torn_input_is_not_laid_to_the_operation_that_reads_it) {
  const Graph graph = quantizer();
  const Executor reference = test::executor(graph, "ort");
  const auto sent = test::random_samples(graph, 3);
  const auto expected = reference.run(sent)->samples;
  for (const char* fault :
       {"stale-input-lines", "torn-input", "torn-input,at=0.3", "stale-input", "zero-point-128"}) {
    auto target = open_target(std::string("sim:") + fault,
                              {graph, *find_arithmetic("ort"), StateMode::reset});
    ASSERT_TRUE(target.ok());
    const auto device = (*target)->run(sent, {})->samples;
    const auto v = judge({.reference = reference,
                          .recorded = {sent, expected, device, StateMode::reset},
                          .tolerance = {},
                          .others = {},
                          .search = {},
                          .model = "q.onnx",
                          .target = fault,
                          .input = "x.npz"});
    ASSERT_TRUE(v.ok()) << fault;
    ASSERT_FALSE(v->suspects.empty()) << fault;
    const Explanation* cause = v->suspects[0].cause();
    ASSERT_NE(cause, nullptr) << fault;
    EXPECT_EQ(std::string(fault).substr(0, cause->fault->name.size()), cause->fault->name)
        << cause->spec;
    EXPECT_TRUE(cause->exact()) << fault;
  }
}

TEST(Judge, numbers_that_no_fault_makes_are_unexplained_and_say_what_to_record) {
  Bench b;
  auto reference = b.reference.run(b.sent);
  b.device = reference->samples;
  Random random(9);
  for (Sample& s : b.device)
    for (std::int64_t i = 0; i < s.at("t2").count(); ++i) s.at("t2").set_number(i, random.unit());
  const auto v = judge({.reference = b.reference,
                        .recorded = {b.sent, b.expected, b.device, StateMode::reset},
                        .tolerance = {},
                        .others = {},
                        .search = {},
                        .model = "chain.onnx",
                        .target = "c.npz",
                        .input = ""});
  ASSERT_TRUE(v.ok());
  EXPECT_FALSE(v->healthy);
  EXPECT_TRUE(v->unexplained());
  EXPECT_FALSE(v->next.empty());
}

}  // namespace
}  // namespace lockstep
