// Which side is wrong when a run on the PC and a device disagree.
#include "diagnose/pc_run.h"

#include "diagnose/judge.h"
#include "run/recording.h"
#include "support/command.h"
#include "support/nets.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

class PcRuns : public testing::Test {
 protected:
  Graph graph = test::relu_chain(2);
  Executor reference = test::executor(graph);
  std::vector<Sample> sent = test::random_samples(graph, 3);
  std::vector<Sample> device = reference.run(sent)->samples;
  test::TemporaryFolder scratch;

  PcRun judged(const RunOptions& pc, bool device_healthy = true) {
    const std::string wanted[] = {"y"};
    const auto made = reference.run(sent, wanted, pc);
    EXPECT_TRUE(made.ok());
    EXPECT_TRUE(write_capture(scratch / "pc.npz", *made).ok());
    Verdict v;
    v.healthy = device_healthy;
    auto p =
        judge_pc(scratch / "pc.npz", {graph, reference, sent, device, StateMode::reset, {}}, v);
    EXPECT_TRUE(p.ok()) << (p.ok() ? "" : p.error().line());
    return std::move(*p);
  }
  RunOptions with(std::string_view fault) {
    const auto specs = parse_faults(fault);
    EXPECT_TRUE(specs.ok());
    auto options = inject(reference, *specs);
    EXPECT_TRUE(options.ok());
    return std::move(*options);
  }
};

TEST_F(PcRuns, a_right_run_agrees_with_a_healthy_device) {
  const PcRun p = judged({});
  EXPECT_TRUE(p.right);
  EXPECT_FALSE(p.faulty);
}

TEST_F(PcRuns, a_pc_with_other_preprocessing_is_the_faulty_side) {
  const PcRun p = judged(with("input-normalized-wrongly"));
  EXPECT_FALSE(p.right);
  EXPECT_TRUE(p.faulty);
  EXPECT_NE(p.verdict.find("the reference is wrong"), p.verdict.npos) << p.verdict;
  EXPECT_NE(p.is.find("other inputs"), p.is.npos) << p.is;
  EXPECT_TRUE(p.spec.starts_with("input-normalized-wrongly")) << p.spec;
  EXPECT_FALSE(p.advice.empty());
}

TEST_F(PcRuns, a_right_run_leaves_the_device_to_blame) {
  const PcRun p = judged({}, false);
  EXPECT_TRUE(p.right);
  EXPECT_NE(p.verdict.find("the device differs"), p.verdict.npos) << p.verdict;
}

TEST_F(PcRuns, a_pc_that_agrees_with_a_wrong_device_points_at_what_both_share) {
  device = reference.run(sent, {}, with("clamp-lost"))->samples;
  const PcRun p = judged(with("clamp-lost"), false);
  EXPECT_FALSE(p.faulty);
  EXPECT_NE(p.verdict.find("what both share"), p.verdict.npos) << p.verdict;
  // "The device does not have this fault" stood below, of a device that has it.
  ASSERT_EQ(p.advice.size(), 1u);
  EXPECT_NE(p.advice[0].find("both"), std::string::npos) << p.advice[0];
}

TEST_F(PcRuns, answers_to_other_samples_are_no_fault_of_the_pc) {
  const std::string wanted[] = {"y"};
  const std::vector<Sample> turned(sent.rbegin(), sent.rend());
  ASSERT_TRUE(write_capture(scratch / "pc.npz", *reference.run(turned, wanted)).ok());
  Verdict healthy;
  healthy.healthy = true;
  const auto p =
      judge_pc(scratch / "pc.npz", {graph, reference, sent, device, StateMode::reset, {}}, healthy);
  ASSERT_TRUE(p.ok()) << p.error().line();
  EXPECT_FALSE(p->right);
  EXPECT_FALSE(p->faulty) << "its order is, the reference is not";
  EXPECT_NE(p->is.find("not a recording of this run: the samples stand in another order"),
            std::string::npos)
      << p->is;
}

TEST_F(PcRuns, another_number_of_samples_is_refused) {
  const std::string wanted[] = {"y"};
  ASSERT_TRUE(
      write_capture(scratch / "pc.npz", *reference.run(std::span(sent).first(2), wanted)).ok());
  EXPECT_FALSE(judge_pc(scratch / "pc.npz", {graph, reference, sent, device, StateMode::reset, {}},
                        Verdict{})
                   .ok());
}

// x uint8 [1,64] -> MatMul with int8 [64,16] -> y uint8: sums of pairs leave 16 bits where both
// codes are large.
Graph unsigned_by_signed() {
  GraphBuilder b("u8s8", "onnx");
  const auto value = [](const char* name, DType type, Shape shape, double scale) {
    Value v;
    v.name = v.origin.name = name;
    v.dtype = type;
    v.shape = std::move(shape);
    v.quant = {{scale}, {0}, -1};
    return v;
  };
  Value w = value("w", DType::i8, {64, 16}, 0.01);
  auto weights = std::make_shared<Tensor>(DType::i8, w.shape);
  for (std::int64_t i = 0; i < weights->count(); ++i) weights->set_code(i, i % 5 == 4 ? -120 : 110);
  w.constant = weights;
  const ValueId x = b.add_value(value("x", DType::u8, {1, 64}, 1)), ws = b.add_value(w),
                y = b.add_value(value("y", DType::u8, {1, 16}, 40));
  Node n;
  n.name = "dense";
  n.op = "MatMul";
  n.inputs = {x, ws};
  n.outputs = {y};
  b.add_node(n);
  b.add_input(x);
  b.add_output(y);
  return std::move(std::move(b).finish()).value();
}

TEST(PcRunsOnCodes, a_processor_that_saturates_pairs_is_the_faulty_side) {
  const Graph graph = unsigned_by_signed();
  const Executor reference = test::executor(graph, "ort"),
                 old_processor = test::executor(graph, "ort-u8s8-saturating");
  const std::vector<Sample> sent = test::random_samples(graph, 4);
  const auto device = reference.run(sent), pc = old_processor.run(sent);
  ASSERT_TRUE(device.ok() && pc.ok());
  ASSERT_FALSE(device->samples[0].at("y") == pc->samples[0].at("y")) << "nothing saturates here";
  const test::TemporaryFolder scratch;
  ASSERT_TRUE(write_capture(scratch / "pc.npz", *pc).ok());
  Verdict v;
  v.healthy = true;
  const auto p = judge_pc(scratch / "pc.npz",
                          {graph, reference, sent, device->samples, StateMode::reset, {}}, v);
  ASSERT_TRUE(p.ok()) << p.error().line();
  EXPECT_TRUE(p->faulty);
  EXPECT_NE(p->is.find("ort-u8s8-saturating"), p->is.npos) << p->is;
  EXPECT_NE(p->advice.at(0).find("VNNI"), std::string::npos) << p->advice[0];
  // The right run of the same network is none of it.
  ASSERT_TRUE(write_capture(scratch / "right.npz", *device).ok());
  const auto right = judge_pc(scratch / "right.npz",
                              {graph, reference, sent, device->samples, StateMode::reset, {}}, v);
  ASSERT_TRUE(right.ok() && right->right);
}

// The tool's own way, on a quantized network.
TEST(PcRunTool, a_float_run_on_the_pc_is_no_reference_for_a_quantized_network) {
  const test::TemporaryFolder scratch;
  const std::string model = "examples/s1/tcn_int8.onnx --input examples/s1/golden.npz ";
  ASSERT_EQ(test::run_tool("run " + model + "-o " + scratch / "board.npz").code, 0);
  ASSERT_EQ(test::run_tool("run " + model + "--arith float -o " + scratch / "pc.npz").code, 0);
  const auto ran = test::run_tool("validate " + model + "--target " + scratch / "board.npz" +
                                  " --pc " + scratch / "pc.npz");
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_NE(ran.out.find("the reference is wrong"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("without its quantization"), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace lockstep
