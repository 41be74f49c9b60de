#include "npu/fit.h"

#include <gtest/gtest.h>

#include "npu/record.h"
#include "npu/small_program.h"
#include "npu/split.h"
#include "npu/standing.h"

namespace lockstep {
namespace {

// x uint8 and y int8 with the small program's scales, so that its buffers are mapped.
Graph small_model() {
  GraphBuilder g("m.onnx", "onnx");
  Value x, y;
  x.name = "x", x.dtype = DType::u8, x.shape = {1, 2, 3, 4}, x.quant = {{0.5}, {0}, -1};
  y.name = "y", y.dtype = DType::i8, y.shape = {1, 3, 3, 4}, y.quant = {{0.25}, {5}, -1};
  const ValueId a = g.add_value(x), b = g.add_value(y);
  Node n;
  n.name = "conv", n.op = "Conv", n.inputs = {a}, n.outputs = {b};
  g.add_node(n);
  g.add_input(a);
  g.add_output(b);
  return std::move(std::move(g).finish()).value();
}

Sample recorded(const NpuRules& rules, const Graph& model, const NpuMapping& mapping) {
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(test::small_program()), rules);
  Tensor x(DType::u8, {1, 2, 3, 4});
  for (std::int64_t i = 0; i < x.count(); ++i) x.set_code(i, 7 * i % 253);
  const Sample in{{"x", x}};
  auto capture = record_npu(*sim, model, mapping, std::span(&in, 1), NpuMode::chained, {});
  EXPECT_TRUE(capture.ok()) << (capture.ok() ? "" : capture.error().line());
  return capture.ok() ? capture->samples[0] : Sample();
}

TEST(NpuFit, captures_prove_the_rule_that_made_them_and_exclude_others) {
  const Graph model = small_model();
  const NpuProgram program = test::small_program();
  const NpuMapping mapping = map_npu_buffers(program, model);
  for (const NpuTie truth : {NpuTie::away, NpuTie::zero}) {
    NpuRules rules;
    rules.conv = truth;
    const Sample captured = recorded(rules, model, mapping);
    auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(program));
    const auto rows = fit_npu_rules(*sim, model, mapping, std::span(&captured, 1));
    ASSERT_TRUE(rows.ok()) << rows.error().line();
    for (const NpuFitRow& r : *rows)
      if (r.stage == "convolution" && r.rule == truth) {
        EXPECT_EQ(r.differing, 0);
        EXPECT_NE(proof_of(*rows, r), NpuProof::excluded);
      }
  }
}

TEST(NpuFit, stages_that_change_nothing_are_untouched) {
  const Graph model = small_model();
  const NpuProgram program = test::small_program();
  const NpuMapping mapping = map_npu_buffers(program, model);
  const Sample captured = recorded({}, model, mapping);
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(program));
  const auto rows = fit_npu_rules(*sim, model, mapping, std::span(&captured, 1));
  ASSERT_TRUE(rows.ok());
  for (const NpuFitRow& r : *rows)
    if (r.stage == "pooling" || r.stage == "activation") {
      EXPECT_EQ(proof_of(*rows, r), NpuProof::untouched);
    }
}

TEST(NpuSplit, differences_that_the_program_makes_are_explained_and_others_are_not) {
  const Graph model = small_model();
  const NpuProgram program = test::small_program();
  const NpuMapping mapping = map_npu_buffers(program, model);
  Sample device = recorded({}, model, mapping), reference = device;
  for (std::int64_t i = 0; i < 4; ++i)
    reference.at("y").set_code(i, device.at("y").code(i) > 0 ? -20 : 20);  // the program's own
  device.at("y").set_code(4, reference.at("y").code(4) > 0 ? -20 : 20);    // the device's
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(program));
  const auto rows =
      split_differences(*sim, model, mapping, std::span(&device, 1), std::span(&reference, 1));
  ASSERT_TRUE(rows.ok()) << rows.error().line();
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ((*rows)[0].differing, 5);
  EXPECT_EQ((*rows)[0].explained, 4);
  EXPECT_EQ((*rows)[0].unexplained, 1);
}

}  // namespace
}  // namespace lockstep
