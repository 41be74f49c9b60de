#include "npu/audit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "import/import.h"
#include "npu/compiled_networks.h"
#include "npu/small_program.h"
#include "num/npu_rules.h"
#include "support/shared.h"

namespace lockstep {
namespace {

using test::findings;
using test::models;

TEST(NpuAudit, compiled_networks_have_no_errors_and_the_reference_s_findings) {
  LOCKSTEP_NEEDS_SHARED();
  struct Expected {
    const char* program;
    std::vector<int> passes, software, copies;
  };
  const std::vector<Expected> expected = {
      {"yamnet_1024", {17, 20, 23, 26, 29, 32, 35, 37}, {1, 38, 39}, {15, 18, 21, 24, 27, 30, 33}},
      {"stft_tcnn",
       {7, 16, 25, 31, 40, 49},
       {3, 9, 11, 14, 18, 20, 23, 27, 33, 35, 38, 42, 44, 47, 50, 51},
       {2, 6, 8, 12, 17, 21, 26, 30, 32, 36, 41, 45}}};
  for (const Expected& e : expected) {
    auto p = read_npu_program(test::shared_folder() + "/models/neural-art/" + e.program +
                              ".program.json");
    auto model =
        import_model(test::shared_folder() + "/models/st/" + models.at(e.program) + ".onnx");
    ASSERT_TRUE(p.ok() && model.ok());
    const auto found = findings(std::move(*p), *model);
    ASSERT_TRUE(found.ok()) << found.error().line();
    const auto epochs = [&](std::string_view rule) {
      std::vector<int> at;
      for (const NpuFinding& f : *found)
        if (f.rule == rule) at.push_back(f.epoch);
      return at;
    };
    EXPECT_EQ(epochs("accumulation-passes"), e.passes);
    EXPECT_EQ(epochs("software-epoch"), e.software);
    EXPECT_EQ(epochs("copy-epoch"), e.copies);
    EXPECT_TRUE(epochs("shift-off-rule").empty());
    EXPECT_TRUE(epochs("operands-off-rule").empty());
    EXPECT_TRUE(epochs("layer-unknown").empty());
    for (const NpuFinding& f : *found)
      EXPECT_NE(f.severity, NpuSeverity::error) << f.rule << " " << f.where << " " << f.what;
  }
}

TEST(NpuAudit, weights_of_another_network_and_short_weights_are_errors) {
  LOCKSTEP_NEEDS_SHARED();
  auto p = read_npu_program(test::shared_folder() + "/models/neural-art/stft_tcnn.program.json");
  auto model =
      import_model(test::shared_folder() + "/models/st/stft_tcnn_medium_257x40_qdq_int8.onnx");
  ASSERT_TRUE(p.ok() && model.ok());
  NpuProgram other = *p;
  std::ranges::rotate(other.images[0].bytes, other.images[0].bytes.begin() + 1000);
  const auto found = findings(std::move(other), *model);
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(
      std::ranges::any_of(*found, [](const NpuFinding& f) { return f.rule == "weights-differ"; }));
}

TEST(NpuAudit, an_unlabelled_program_without_a_model_is_audited_for_what_needs_none) {
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(test::small_program()));
  ASSERT_TRUE(sim.ok());
  const auto found = audit_npu(*sim, nullptr);
  ASSERT_TRUE(found.ok()) << found.error().line();
  for (const NpuFinding& f : *found)
    EXPECT_NE(f.severity, NpuSeverity::error) << f.rule << " " << f.what;
}

TEST(NpuAudit, two_compilations_are_compared_layer_by_layer) {
  NpuProgram b = test::small_program();
  for (NpuUnit& u : b.epochs[0].units)
    if (u.name == "conv") u.fields["shift_o"] = NpuField::of(3);
  auto one = NpuSimulator::make(std::make_shared<const NpuProgram>(test::small_program()));
  auto two = NpuSimulator::make(std::make_shared<const NpuProgram>(b));
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_TRUE(compare_npu(*one, *one)->empty());
  const auto found = compare_npu(*one, *two);
  ASSERT_TRUE(found.ok());
  ASSERT_FALSE(found->empty());
  EXPECT_EQ(found->front().what, "shift 2 and 3");
}

TEST(NpuRules, the_add_rule_gives_the_worked_example) {
  // scales 0.0554 + 0.0276 -> 0.0270: A 16836, B 16794 >> 1, shift 13
  const NpuAddConstants k = npu_add_constants(0.0554, 0, 0.0276, 0, 0.02696, 0);
  EXPECT_EQ(k.shift, 13);
  EXPECT_EQ(k.a_shift, 0);
  EXPECT_EQ(k.b_shift, 1);
  EXPECT_NEAR(static_cast<double>(k.a), 16836, 8);
  EXPECT_NEAR(static_cast<double>(k.b), 16794, 24);
}

TEST(NpuRules, the_convolution_shift_follows_the_signed_sum) {
  EXPECT_EQ(npu_conv_shift(0), 0);
  EXPECT_EQ(npu_conv_shift(128), 0);  // 128 * 255 = 32640 < 2^15
  EXPECT_EQ(npu_conv_shift(129), 1);
  EXPECT_EQ(npu_conv_shift(1143), 4);  // log2(291465) = 18.15
}

}  // namespace
}  // namespace lockstep
