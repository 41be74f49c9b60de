#include <gtest/gtest.h>

#include "arith/arith.h"
#include "base/npy.h"
#include "import/import.h"
#include "npu/compare.h"
#include "run/executor.h"
#include "support/shared.h"

namespace lockstep {
namespace {

struct Network {
  NpuMapping mapping;
  std::shared_ptr<const NpuProgram> program;
  std::unique_ptr<Graph> model;
  std::vector<Sample> reference;
};

// A compiled network with its model's tensors on the first of its inputs, in onnxruntime's
// arithmetic.
Result<Network> network(const std::string& program, const std::string& model,
                        const std::string& input) {
  const std::string folder = test::shared_folder() + "/models/";
  Network n;
  LOCKSTEP_TRY(NpuProgram p, read_npu_program(folder + "neural-art/" + program + ".program.json"));
  n.program = std::make_shared<const NpuProgram>(std::move(p));
  LOCKSTEP_TRY(Graph g, import_model(folder + "st/" + model + ".onnx"));
  n.model = std::make_unique<Graph>(std::move(g));
  n.mapping = map_npu_buffers(*n.program, *n.model);
  LOCKSTEP_TRY(const NpzMembers arrays, read_npz(folder + "neural-art/" + program + ".inputs.npz"));
  Sample sample;
  for (const auto& [name, a] : arrays) {
    Tensor t(a.dtype, a.shape);
    std::ranges::copy(a.bytes, t.bytes().begin());
    sample.emplace(n.model->value(n.model->inputs()[0]).name, std::move(t));
  }
  LOCKSTEP_TRY(std::vector<Sample> samples, samples_from(*n.model, sample, input));
  samples.resize(1);
  LOCKSTEP_TRY(const Executor executor, Executor::make(*n.model, *find_arithmetic("ort-noopt")));
  LOCKSTEP_TRY(Capture capture, executor.run(samples));
  n.reference = std::move(capture.samples);
  return n;
}

Result<std::vector<NpuRow>> rows(const Network& n, NpuMode mode, NpuTie tie) {
  NpuRules rules;
  rules.conv = rules.arith = rules.pool = tie;
  LOCKSTEP_TRY(NpuSimulator sim, NpuSimulator::make(n.program, rules));
  return compare_epochs(sim, *n.model, n.mapping, n.reference, mode);
}

TEST(NpuSharedPrograms, yamnet_teacher_forced_stays_within_one_code_except_where_passes_round) {
  LOCKSTEP_NEEDS_SHARED();
  const auto n = network("yamnet_1024", "yamnet_1024_64x96_qdq_int8", "in");
  ASSERT_TRUE(n.ok()) << n.error().line();
  const auto table = rows(*n, NpuMode::forced, NpuTie::away);
  ASSERT_TRUE(table.ok()) << table.error().line();
  EXPECT_EQ(table->size(), 37u);  // 36 hardware epochs and the transposition of the input
  for (const NpuRow& r : *table) {
    // Four and eight accumulation passes, each rounded to 16 bits: predicted there, and nowhere
    // else.
    const double most = r.epoch == 32 ? 7 : r.epoch == 35 ? 10 : 1;
    EXPECT_LE(r.max_lsb, most) << r.epoch << " " << r.buffer;
    if (r.buffer.find("_cp_in_") != std::string::npos) {
      EXPECT_EQ(r.share, 0) << r.epoch;
    }
  }
  const auto exact = rows(*n, NpuMode::exact, NpuTie::up);
  ASSERT_TRUE(exact.ok());
  for (const NpuRow& r : *exact)
    EXPECT_LE(r.max_lsb, 1) << "the constants alone, epoch " << r.epoch;
}

TEST(NpuSharedPrograms, the_tcn_teacher_forced_differs_where_its_depthwise_multipliers_lost_bits) {
  LOCKSTEP_NEEDS_SHARED();
  const auto n = network("stft_tcnn", "stft_tcnn_medium_257x40_qdq_int8", "in");
  ASSERT_TRUE(n.ok()) << n.error().line();
  const auto table = rows(*n, NpuMode::forced, NpuTie::away);
  ASSERT_TRUE(table.ok()) << table.error().line();
  const std::map<int, double> lossy = {{5, 5}, {15, 24}, {24, 44}, {29, 44}, {39, 14}, {49, 2}};
  int software = 0;
  for (const NpuRow& r : *table) {
    const auto it = lossy.find(r.epoch);
    EXPECT_LE(r.max_lsb, it == lossy.end() ? 1 : it->second) << r.epoch << " " << r.buffer;
    software += n->program->find_epoch(r.epoch)->units.empty();
  }
  EXPECT_EQ(software, 6);  // the CPU's convolutions
  EXPECT_EQ(table->size(), 32u);
}

TEST(NpuSharedPrograms, chained_runs_execute_every_epoch_and_end_in_probabilities) {
  LOCKSTEP_NEEDS_SHARED();
  const auto n = network("yamnet_1024", "yamnet_1024_64x96_qdq_int8", "in");
  ASSERT_TRUE(n.ok());
  auto sim = NpuSimulator::make(n->program);
  ASSERT_TRUE(sim.ok());
  const auto in = simulator_inputs(*sim, *n->model, n->mapping, n->reference[0]);
  ASSERT_TRUE(in.ok());
  int epochs = 0;
  const auto done = sim->run(
      *in, [&](const NpuEpoch&, NpuMemory&) -> Result<void> { return ++epochs, Result<void>(); });
  ASSERT_TRUE(done.ok()) << done.error().line();
  EXPECT_EQ(epochs, 39);
  EXPECT_EQ(sim->counts().conv_saturated, 0);
  const auto y =
      read_buffer(*sim->program().find_buffer("Softmax_100_out_0"), sim->memory(), "test");
  ASSERT_TRUE(y.ok());
  double sum = 0;
  for (std::int64_t i = 0; i < y->count(); ++i) sum += y->number(i);
  EXPECT_NEAR(sum, 1, 1e-5);
}

TEST(NpuSharedPrograms, a_short_weights_file_is_named) {
  LOCKSTEP_NEEDS_SHARED();
  auto p = read_npu_program(test::shared_folder() + "/models/neural-art/stft_tcnn.program.json");
  ASSERT_TRUE(p.ok());
  p->images[0].bytes.resize(100000);
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(*p)));
  ASSERT_TRUE(sim.ok());
  Tensor x(DType::i8, {1, 257, 40});
  const auto done = sim->run({{"Input_0_out_0", x}});
  ASSERT_FALSE(done.ok());
  EXPECT_NE(done.error().line().find("0x70"), std::string::npos) << done.error().line();
}

}  // namespace
}  // namespace lockstep
