#include <gtest/gtest.h>

#include <fmt/core.h>

#include "arith/arith.h"
#include "diff/inputs.h"
#include "import/import.h"
#include "npu/attribute.h"
#include "run/executor.h"
#include "support/shared.h"

namespace lockstep {
namespace {

// What two compiled networks, teacher-forced with ties up, show against onnxruntime on four inputs:
// epoch, worst LSB, share of differing codes (%), least cosine, mean signed difference.
struct Published {
  int epoch;
  const char *max_lsb, *percent, *cosine, *mean;
};
constexpr Published yamnet_1024[] = {
    {2, "1", "0.446", "0.999997", "+0.0019"},   {3, "1", "0.523", "0.999996", "+0.0019"},
    {4, "1", "0.682", "0.999996", "+0.0016"},   {5, "1", "0.572", "0.999997", "+0.0018"},
    {6, "1", "0.531", "0.999998", "+0.0011"},   {7, "1", "0.652", "0.999996", "+0.0010"},
    {8, "1", "0.682", "0.999997", "+0.0002"},   {9, "1", "0.525", "0.999998", "+0.0011"},
    {10, "1", "0.725", "0.999998", "+0.0006"},  {11, "1", "0.554", "0.999997", "+0.0010"},
    {12, "1", "1.113", "0.999996", "+0.0009"},  {13, "1", "0.440", "0.999998", "+0.0011"},
    {14, "1", "0.897", "0.999997", "+0.0012"},  {16, "1", "0.370", "0.999997", "+0.0008"},
    {17, "1", "1.135", "0.999996", "+0.0008"},  {19, "1", "0.368", "0.999997", "+0.0013"},
    {20, "1", "2.364", "0.999990", "+0.0009"},  {22, "1", "0.421", "0.999993", "+0.0009"},
    {23, "1", "2.380", "0.999981", "+0.0006"},  {25, "1", "0.476", "0.999990", "+0.0008"},
    {26, "1", "0.694", "0.999873", "+0.0012"},  {28, "1", "0.594", "0.999854", "+0.0015"},
    {29, "1", "0.879", "0.998472", "-0.0004"},  {31, "1", "0.765", "0.999462", "+0.0028"},
    {32, "7", "8.740", "0.996312", "+0.0045"},  {34, "1", "0.704", "0.999346", "+0.0018"},
    {35, "10", "7.589", "0.999978", "+0.0291"}, {36, "1", "0.073", "0.999998", "+0.0007"},
    {37, "1", "17.500", "0.999848", "-0.0250"},
};
constexpr Published stft_tcnn[] = {
    {3, "0", "0.000", "1.000000", "+0.0000"},    {4, "0", "0.000", "1.000000", "+0.0000"},
    {5, "5", "3.241", "0.999934", "+0.0026"},    {7, "1", "2.644", "0.999970", "+0.0043"},
    {9, "0", "0.000", "1.000000", "+0.0000"},    {10, "0", "0.000", "1.000000", "+0.0000"},
    {15, "24", "7.809", "0.999240", "+0.0015"},  {16, "1", "1.841", "0.999984", "+0.0042"},
    {18, "0", "0.000", "1.000000", "+0.0000"},   {19, "0", "0.000", "1.000000", "+0.0000"},
    {24, "44", "8.278", "0.996910", "-0.0066"},  {25, "1", "3.071", "0.999981", "+0.0054"},
    {27, "1", "0.001", "1.000000", "+0.0000"},   {28, "0", "0.000", "1.000000", "+0.0000"},
    {29, "44", "12.147", "0.997078", "-0.0614"}, {31, "1", "2.697", "0.999987", "+0.0057"},
    {33, "0", "0.000", "1.000000", "+0.0000"},   {34, "0", "0.000", "1.000000", "+0.0000"},
    {39, "14", "10.474", "0.999267", "+0.0103"}, {40, "1", "2.359", "0.999993", "+0.0049"},
    {42, "1", "0.001", "1.000000", "+0.0000"},   {43, "0", "0.000", "1.000000", "+0.0000"},
    {48, "1", "0.984", "0.999983", "+0.0037"},   {49, "2", "11.987", "0.999911", "+0.0071"},
};

struct Network {
  std::shared_ptr<const NpuProgram> program;
  std::unique_ptr<Graph> model;
  NpuMapping mapping;
  std::vector<Sample> reference;
};

Result<Network> network(const std::string& program, const std::string& model) {
  const std::string folder = test::shared_folder() + "/models/";
  Network n;
  LOCKSTEP_TRY(NpuProgram p, read_npu_program(folder + "neural-art/" + program + ".program.json"));
  n.program = std::make_shared<const NpuProgram>(std::move(p));
  LOCKSTEP_TRY(Graph g, import_model(folder + "st/" + model + ".onnx"));
  n.model = std::make_unique<Graph>(std::move(g));
  n.mapping = map_npu_buffers(*n.program, *n.model);
  std::vector<std::string> notes;
  LOCKSTEP_TRY(const std::vector<Sample> inputs,
               read_inputs(folder + "neural-art/" + program + ".inputs.npz", *n.model, notes));
  LOCKSTEP_TRY(const Executor executor, Executor::make(*n.model, *find_arithmetic("ort-noopt")));
  LOCKSTEP_TRY(Capture capture, executor.run(inputs));
  n.reference = std::move(capture.samples);
  return n;
}

constexpr std::pair<const char*, const char*> networks[] = {
    {"yamnet_1024", "yamnet_1024_64x96_qdq_int8"},
    {"stft_tcnn", "stft_tcnn_medium_257x40_qdq_int8"}};

// The published means are of per-input figures rounded to 3 and 4 decimals, except the average
// pooling's (yamnet's epoch 36), which are rounded once.
TEST(NpuTable, teacher_forced_with_ties_up_gives_the_published_table) {
  LOCKSTEP_NEEDS_SHARED();
  int seen = 0;
  for (const auto& [program, model] : networks) {
    const auto n = network(program, model);
    ASSERT_TRUE(n.ok()) << n.error().line();
    NpuRules rules;
    rules.conv = rules.arith = rules.pool = NpuTie::up;
    auto sim = NpuSimulator::make(n->program, rules);
    const auto rows = compare_epochs(*sim, *n->model, n->mapping, n->reference, NpuMode::forced);
    ASSERT_TRUE(rows.ok()) << rows.error().line();
    const std::span<const Published> published = std::string_view(program) == "yamnet_1024"
                                                     ? std::span<const Published>(yamnet_1024)
                                                     : stft_tcnn;
    for (const Published& p : published) {
      const auto it = std::ranges::find(*rows, p.epoch, &NpuRow::epoch);
      ASSERT_NE(it, rows->end()) << p.epoch;
      const bool once = std::string_view(program) == "yamnet_1024" && p.epoch == 36;
      EXPECT_EQ(fmt::format("{:.0f}", it->max_lsb), p.max_lsb) << program << " epoch " << p.epoch;
      EXPECT_EQ(fmt::format("{:.3f}", once ? 100 * it->share : it->shown_percent), p.percent)
          << program << " epoch " << p.epoch;
      EXPECT_EQ(fmt::format("{:.6f}", it->cosine), p.cosine) << program << " epoch " << p.epoch;
      const std::string mean = fmt::format("{:+.4f}", once ? it->mean_lsb : it->shown_mean);
      EXPECT_EQ(mean == "-0.0000" ? "+0.0000" : mean, p.mean) << program << " epoch " << p.epoch;
      ++seen;
    }
  }
  EXPECT_EQ(seen, 53);
}

// Ties away, the default: what differs from the table's runs differs by the tie rule alone, and
// every code more than one LSB from onnxruntime's has a predicted cause.
TEST(NpuTable, every_difference_above_one_code_has_its_predicted_cause) {
  LOCKSTEP_NEEDS_SHARED();
  for (const auto& [program, model] : networks) {
    const auto n = network(program, model);
    ASSERT_TRUE(n.ok()) << n.error().line();
    auto sim = NpuSimulator::make(n->program);
    const auto rows = attribute_epochs(*sim, *n->model, n->mapping, n->reference, NpuTie::up);
    ASSERT_TRUE(rows.ok()) << rows.error().line();
    std::int64_t above = 0, unexplained = 0, ties = 0;
    for (const NpuAttribution& r : *rows)
      above += r.above_one, unexplained += r.above_one_unexplained, ties += r.ties;
    EXPECT_GT(above, 1000) << program;
    EXPECT_EQ(unexplained, 0) << program;
    EXPECT_GT(ties, 1000) << program;
  }
}

TEST(NpuTable, predicted_drift_lies_within_a_fifth_of_the_simulated_where_it_counts) {
  LOCKSTEP_NEEDS_SHARED();
  int near = 0, all = 0;
  for (const auto& [program, model] : networks) {
    const auto n = network(program, model);
    ASSERT_TRUE(n.ok());
    auto sim = NpuSimulator::make(n->program);
    const auto rows = attribute_epochs(*sim, *n->model, n->mapping, n->reference, NpuTie::up);
    ASSERT_TRUE(rows.ok());
    for (const NpuAttribution& r : *rows) {
      if (r.predicted_rms == 0 || r.measured_rms == 0) continue;
      ++all;
      near += std::abs(r.predicted_rms / r.measured_rms - 1) <= 0.2;
    }
  }
  EXPECT_EQ(all, 34);
  EXPECT_EQ(near, 34);
}

}  // namespace
}  // namespace lockstep
