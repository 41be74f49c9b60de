// No false alarm on a device that only rounds in another way, no acquittal of one that does more.
#include <algorithm>

#include "diagnose/judge.h"
#include "diff/inputs.h"
#include "import/import.h"
#include "run/generated.h"
#include "support/folders.h"
#include "support/nets.h"

namespace lockstep {
namespace {

// Moves a share of every quantized tensor's codes by one step, up with probability `up`.
RunOptions rounds_otherwise(const Graph& g, double share, double up, std::uint64_t seed) {
  RunOptions options;
  for (std::size_t n = 0; n < g.nodes().size(); ++n) {
    const Node& node = g.nodes()[n];
    if (node.outputs.empty() || node.outputs[0] == no_id || only_moves(node)) continue;
    const Value& y = g.value(node.outputs[0]);
    if (!is_integer(y.dtype) || !y.quant.quantized()) continue;
    auto random = std::make_shared<Random>(seed * 7919 + n);
    const CodeRange range = code_range(y.dtype);
    options.node_hooks.push_back(
        {static_cast<NodeId>(n), [=](auto, std::span<Tensor> out, auto) -> Result<void> {
           for (std::int64_t i = 0; i < out[0].count(); ++i)
             if (random->unit() < share)
               out[0].set_code(
                   i, std::clamp<std::int64_t>(out[0].code(i) + (random->unit() < up ? 1 : -1),
                                               range.low, range.high));
           return {};
         }});
  }
  return options;
}

struct Bench {
  Graph graph;
  Executor reference;
  std::vector<Sample> sent, expected;

  static Bench s1() {
    auto graph = import_model(test::source_folder() + "/examples/s1/tcn_int8.onnx");
    EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
    std::vector<std::string> notes;
    auto sent = read_inputs(test::source_folder() + "/examples/s1/golden.npz", *graph, notes);
    EXPECT_TRUE(sent.ok()) << (sent.ok() ? "" : sent.error().line());
    Executor reference = test::executor(*graph, "ort");
    auto expected = reference.run(*sent);
    EXPECT_TRUE(expected.ok());
    return {std::move(*graph), reference, std::move(*sent), std::move(expected->samples)};
  }

  Verdict judged(std::vector<Sample> device, bool outputs_only, const std::string& tolerance = "") {
    if (outputs_only)
      for (Sample& s : device)
        std::erase_if(s, [&](const auto& entry) {
          const ValueId id = reference.graph().find_value(entry.first);
          return std::ranges::count(reference.graph().outputs(), id) +
                     std::ranges::count(reference.graph().inputs(), id) ==
                 0;
        });
    auto v = judge({.reference = reference,
                    .recorded = {sent, expected, device, StateMode::reset},
                    .tolerance = *parse_tolerance(tolerance),
                    .others = {},
                    .search = {.work = 2e9},
                    .model = "m",
                    .target = "t",
                    .input = "x"});
    EXPECT_TRUE(v.ok()) << (v.ok() ? "" : v.error().line());
    return std::move(*v);
  }
  std::vector<Sample> device(const RunOptions& options) {
    auto made = reference.run(sent, {}, options);
    EXPECT_TRUE(made.ok());
    return std::move(made->samples);
  }
};

// With outputs alone rounding that adds up and a fault may look alike: the verdict says that it
// cannot decide, and names no cause.
TEST(
    Health,
    a_device_that_rounds_otherwise_is_healthy_with_every_tensor_and_never_faulty_with_outputs_alone) {
  Bench b = Bench::s1();
  for (const double share : {0.002, 0.01, 0.04})
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const auto device = b.device(rounds_otherwise(b.reference.graph(), share, 0.5, seed));
      const Verdict all = b.judged(device, false);
      EXPECT_TRUE(all.healthy)
          << "share " << share << " seed " << seed << ": "
          << (all.suspects.empty() ? ""
                                   : all.comparison.rows[all.suspects[0].row].name + " " +
                                         all.comparison.rows[all.suspects[0].row].structure.text);
      EXPECT_FALSE(all.comparison.identical());
      const Verdict last = b.judged(device, true);
      EXPECT_TRUE(last.healthy || last.undecided)
          << "outputs alone, share " << share << " seed " << seed << ": " << last.summary;
      EXPECT_TRUE(last.suspects.empty());
      EXPECT_NE(last.undecided, last.next.empty());
    }
}

TEST(Health, exact_tolerance_alarms_where_the_standard_does_not) {
  Bench b = Bench::s1();
  const auto device = b.device(rounds_otherwise(b.reference.graph(), 0.01, 0.5, 1));
  EXPECT_FALSE(b.judged(device, false, "exact").healthy);
  EXPECT_TRUE(b.judged(device, false, "lsb:1").healthy);
}

TEST(Health, truncation_is_within_one_step_and_yet_wrong) {
  Bench b = Bench::s1();
  const auto device = b.device(rounds_otherwise(b.reference.graph(), 0.5, 0, 1));
  const Verdict v = b.judged(device, false);
  EXPECT_FALSE(v.healthy);
  ASSERT_FALSE(v.suspects.empty());
  EXPECT_EQ(v.comparison.rows[v.suspects[0].row].structure.kind, "one-sided");
}

TEST(Health, a_fault_is_found_and_named_under_another_rounding) {
  Bench b = Bench::s1();
  RunOptions both = rounds_otherwise(b.reference.graph(), 0.01, 0.5, 1);
  auto faults = parse_faults("operand-rescale@/block2/add,operand=2,k=0.5");
  ASSERT_TRUE(faults.ok());
  auto fault = inject(b.reference, *faults);
  ASSERT_TRUE(fault.ok());
  both.node_hooks.insert(both.node_hooks.begin(), fault->node_hooks.begin(),
                         fault->node_hooks.end());
  const Verdict v = b.judged(b.device(both), false);
  EXPECT_FALSE(v.healthy);
  ASSERT_FALSE(v.suspects.empty());
  EXPECT_EQ(v.suspects.size(), 1u);
  EXPECT_EQ(v.comparison.rows[v.suspects[0].row].name, "/block2/add");
  ASSERT_NE(v.suspects[0].cause(), nullptr);
  EXPECT_EQ(v.suspects[0].cause()->fault->name, "operand-rescale");
  EXPECT_NEAR(v.suspects[0].cause()->params.at("k"), 0.5, 0.01);
}

TEST(Health, the_spread_does_not_acquit_a_fault_at_the_outputs) {
  Bench b = Bench::s1();
  for (const char* spec :
       {"operand-rescale@/block2/add,operand=2,k=0.5", "operand-rescale@/block0/add,operand=1,k=2",
        "zero-point-128", "stale-output@/block1/conv"}) {
    auto faults = parse_faults(spec);
    ASSERT_TRUE(faults.ok());
    auto fault = inject(b.reference, *faults);
    ASSERT_TRUE(fault.ok());
    EXPECT_FALSE(b.judged(b.device(*fault), true).healthy) << spec;
  }
}

TEST(Health, noise_in_one_layer_is_not_acquitted_from_outputs_alone) {
  Bench b = Bench::s1();
  const Graph& g = b.reference.graph();
  int seen = 0;
  for (const char* name : {"/block0/slice_out_QuantizeLinear", "/block3/relu_out_QuantizeLinear",
                           "/block5/slice_out_QuantizeLinear"}) {
    auto random = std::make_shared<Random>(5);
    RunOptions noisy;
    noisy.node_hooks.push_back(
        {g.find_node(name), [=](auto, std::span<Tensor> out, auto) -> Result<void> {
           for (std::int64_t i = 0; i < out[0].count(); ++i)
             out[0].set_code(
                 i, std::clamp<std::int64_t>(out[0].code(i) + random->between(-9, 9), -128, 127));
           return {};
         }});
    const Verdict v = b.judged(b.device(noisy), true);
    if (v.comparison.identical()) continue;  // nothing of it reaches the outputs
    ++seen;
    EXPECT_FALSE(v.healthy) << name << ": " << v.summary;
    for (const Suspect& s : v.suspects)
      EXPECT_FALSE(s.cause() && s.cause()->certain) << s.cause()->spec;
  }
  EXPECT_GT(seen, 0);
}

TEST(Health, a_device_that_equals_several_arithmetics_is_said_to_compute_as_each_of_them) {
  const auto graph =
      import_model(test::source_folder() + "/tests/oracle/networks/mobile-int8.tflite");
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  const Executor reference = test::executor(*graph, "tflite-ref");
  const std::vector<Sample> sent = generated_inputs(*graph, 4, 1);
  const auto expected = reference.run(sent), device = test::executor(*graph, "tflite").run(sent);
  ASSERT_TRUE(expected.ok() && device.ok());
  std::vector<Executor> others;
  for (const char* name : {"tflite", "tflite-ref", "tflite"})
    others.push_back(test::executor(*graph, name));
  const Case c{.reference = reference,
               .recorded = {sent, expected->samples, device->samples, StateMode::reset},
               .tolerance = {},
               .others = [&]() -> const std::vector<Executor>& { return others; },
               .search = {},
               .model = "m",
               .target = "t",
               .input = "x"};
  const auto comparison = compare(c.reference, c.recorded, c.tolerance, c.others);
  ASSERT_TRUE(comparison.ok()) << comparison.error().line();
  ASSERT_FALSE(comparison->identical());
  const auto names = computes_as(c, *comparison);
  ASSERT_TRUE(names.ok()) << names.error().line();
  EXPECT_EQ(*names, "tflite or tflite");
}

}  // namespace
}  // namespace lockstep
