#include <gtest/gtest.h>

#include <map>

#include "arith/arith.h"
#include "base/npy.h"
#include "import/import.h"
#include "npu/audit.h"
#include "npu/record.h"
#include "num/neural_art.h"
#include "run/executor.h"
#include "support/shared.h"

namespace lockstep {
namespace {

struct Network {
  std::shared_ptr<const NpuProgram> program;
  std::unique_ptr<Graph> model;
  std::vector<Sample> inputs;
};

Result<Network> network(const std::string& program, const std::string& model) {
  const std::string folder = test::shared_folder() + "/models/";
  Network n;
  LOCKSTEP_TRY(NpuProgram p, read_npu_program(folder + "neural-art/" + program + ".program.json"));
  n.program = std::make_shared<const NpuProgram>(std::move(p));
  LOCKSTEP_TRY(Graph g, import_model(folder + "st/" + model + ".onnx"));
  n.model = std::make_unique<Graph>(std::move(g));
  LOCKSTEP_TRY(const NpzMembers arrays, read_npz(folder + "neural-art/" + program + ".inputs.npz"));
  Sample sample;
  for (const auto& [name, a] : arrays) {
    Tensor t(a.dtype, a.shape);
    std::ranges::copy(a.bytes, t.bytes().begin());
    sample.emplace(n.model->value(n.model->inputs()[0]).name, std::move(t));
  }
  LOCKSTEP_TRY(n.inputs, samples_from(*n.model, sample, "inputs"));
  n.inputs.resize(1);
  return n;
}

// Codes that differ between the prediction and the simulated program, by tensor; both feed
// themselves.
Result<std::map<std::string, std::int64_t>> differences(const Network& n) {
  LOCKSTEP_TRY(const Executor executor, Executor::make(*n.model, *find_arithmetic("neural-art")));
  LOCKSTEP_TRY(const Capture predicted, executor.run(n.inputs));
  LOCKSTEP_TRY(NpuSimulator sim, NpuSimulator::make(n.program));
  const NpuMapping mapping = map_npu_buffers(*n.program, *n.model);
  LOCKSTEP_TRY(const Capture simulated,
               record_npu(sim, *n.model, mapping, predicted.samples, NpuMode::chained, {}));
  std::map<std::string, std::int64_t> differ;
  for (const auto& [name, t] : simulated.samples[0]) {
    const auto it = predicted.samples[0].find(name);
    if (it == predicted.samples[0].end() || !is_integer(t.dtype())) continue;
    std::int64_t& count = differ[name];
    for (std::int64_t i = 0; i < t.count(); ++i) count += t.code(i) != it->second.code(i);
  }
  return differ;
}

TEST(NeuralArtPrediction, yamnet_from_the_model_alone_gives_every_code_of_the_compiled_program) {
  LOCKSTEP_NEEDS_SHARED();
  const auto n = network("yamnet_1024", "yamnet_1024_64x96_qdq_int8");
  ASSERT_TRUE(n.ok()) << n.error().line();
  const auto differ = differences(*n);
  ASSERT_TRUE(differ.ok()) << differ.error().line();
  EXPECT_EQ(differ->size(), 30u);
  for (const auto& [name, count] : *differ) EXPECT_EQ(count, 0) << name;
}

TEST(NeuralArtPrediction, the_tcn_from_the_model_alone_gives_every_code_of_the_compiled_program) {
  LOCKSTEP_NEEDS_SHARED();
  const auto n = network("stft_tcnn", "stft_tcnn_medium_257x40_qdq_int8");
  ASSERT_TRUE(n.ok()) << n.error().line();
  const auto differ = differences(*n);
  ASSERT_TRUE(differ.ok()) << differ.error().line();
  EXPECT_EQ(differ->size(), 19u);
  for (const auto& [name, count] : *differ) EXPECT_EQ(count, 0) << name;
}

// Shifts, multipliers, fraction bits and common scales of every layer whose constants the program
// holds.
TEST(NeuralArtPrediction, constants_equal_the_compiled_programs) {
  LOCKSTEP_NEEDS_SHARED();
  int layers = 0, multipliers = 0;
  for (const auto& [program, model] :
       {std::pair{"yamnet_1024", "yamnet_1024_64x96_qdq_int8"},
        std::pair{"stft_tcnn", "stft_tcnn_medium_257x40_qdq_int8"}}) {
    const auto n = network(program, model);
    ASSERT_TRUE(n.ok());
    const auto sim = NpuSimulator::make(n->program);
    const auto found = npu_layers(*sim);
    ASSERT_TRUE(found.ok());
    const auto wanted = model_layers(*n->model);
    for (const NpuLayerPair& pair : pair_layers(*found, wanted)) {
      if (!pair.model || pair.layer->stages.size() < 2) continue;
      const NpuLayer& l = *pair.layer;
      const ModelLayer& m = *pair.model;
      const Node& node = n->model->node(n->model->find_node(m.node));
      const Node& dq = n->model->node(n->model->value(node.inputs[1]).producer);
      const Tensor& codes = *n->model->value(dq.inputs[0]).constant;
      std::vector<std::int32_t> w, bias;
      for (std::int64_t i = 0; i < codes.count(); ++i)
        w.push_back(static_cast<std::int32_t>(codes.code(i)));
      for (const double b : m.bias) bias.push_back(static_cast<std::int32_t>(b));
      if (m.op != "Conv" && node.attrs.integer("transB", 0) == 0) {  // one row for each kernel
        std::vector<std::int32_t> rows(w.size());
        const auto k = static_cast<std::size_t>(m.out_channels);
        for (std::size_t i = 0; i < w.size(); ++i) rows[i % k * (w.size() / k) + i / k] = w[i];
        w = rows;
      }
      const ProductPlan plan =
          neural_art_product.prepare({.x_scale = m.x_scale,
                                      .y_scale = m.y_scale,
                                      .y_zero = static_cast<std::int32_t>(m.y_zero),
                                      .w_scale = m.w_scale,
                                      .weights = w,
                                      .bias = bias,
                                      .kernels = m.out_channels,
                                      .channels = codes.count() / m.out_channels,
                                      .pixels = 2});
      EXPECT_EQ(plan.sum_shift, l.shift) << m.node;
      EXPECT_EQ(plan.product_shift, l.stages[0].arith->shift_o) << m.node;
      EXPECT_EQ(plan.common, l.stages[1].arith->A_scalar) << m.node;
      EXPECT_EQ(plan.final_shift, l.stages[1].arith->shift_o) << m.node;
      for (std::size_t k = 0; k < l.stages[0].coefficient.size() && k < plan.multiplier.size();
           ++k, ++multipliers)
        EXPECT_EQ(plan.multiplier[k], l.stages[0].coefficient[k]) << m.node << " kernel " << k;
      ++layers;
    }
  }
  EXPECT_EQ(layers, 40);
  EXPECT_GT(multipliers, 15000);
}

}  // namespace
}  // namespace lockstep
