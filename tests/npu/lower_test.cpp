#include "npu/lower.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "arith/arith.h"
#include "npu/audit.h"
#include "npu/lowered_net.h"
#include "npu/lowered_program.h"
#include "npu/lowered_run.h"
#include "npu/network_c.h"
#include "npu/record.h"
#include "npu/software.h"
#include "run/executor.h"

namespace lockstep {
namespace {

using test::differences;
using test::lowered;
using test::Net;

// Everything at once: strides, pads, groups, cut kernels, dilation, many channels, two operands.
Graph everything(std::uint64_t seed) {
  Net n(seed);
  const ValueId x = n.input({1, 8, 11, 13});
  const ValueId a = n.conv(x, 16, {3, 3}, {2, 1}, {1, 0, 1, 2});
  const ValueId d = n.conv(a, 16, {3, 3}, {1, 1}, {1, 1, 1, 1}, 16);
  const ValueId cut = n.conv(d, 24, {5, 7}, {1, 1}, {2, 3, 2, 3}, 1, 4);
  const ValueId wide = n.conv(cut, 16, {3, 2}, {1, 1}, {2, 1, 2, 1}, 1, -20, 2);
  const ValueId sum = n.add_to(n.requantized(d), wide);
  const ValueId many = n.conv(n.global(sum), 520, {1, 1}, {1, 1}, {0, 0, 0, 0});
  return n.finish(n.conv(many, 12, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, 5));
}

TEST(NpuLower, a_programs_simulation_is_the_arithmetics_prediction) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Graph g = everything(seed);
    std::int64_t compared = 0;
    EXPECT_EQ(differences(g, lowered(g), compared), 0) << seed;
    EXPECT_GT(compared, 9000);
  }
}

TEST(NpuLower, the_same_through_json_structures_and_blobs) {
  const Graph g = everything(4);
  const NpuProgram p = lowered(g);
  auto json = parse_npu_json(format_npu_json(p), p.file);
  ASSERT_TRUE(json.ok()) << json.error().line();
  auto c = parse_network_c(format_network_c(p), "network.c");
  ASSERT_TRUE(c.ok()) << c.error().line();
  const auto text = format_network_c_with_blobs(p, "network_ecblobs.h");
  ASSERT_TRUE(text.ok()) << text.error().line();
  const NpuBlobText header{"network_ecblobs.h", text->header};
  auto blobs = parse_network_c(text->c, "network.c", &header);
  ASSERT_TRUE(blobs.ok()) << blobs.error().line();
  for (auto* again : {&*json, &*c, &*blobs}) {
    again->images.insert(again->images.end(), p.images.begin(), p.images.end());
    std::int64_t compared = 0;
    EXPECT_EQ(differences(g, *again, compared), 0) << again->file;
    EXPECT_GT(compared, 9000);
  }
}

TEST(NpuLower, the_audit_finds_nothing_wrong_in_a_right_program) {
  const Graph g = everything(6);
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(lowered(g)));
  ASSERT_TRUE(sim.ok());
  const auto found = audit_npu(*sim, &g);
  ASSERT_TRUE(found.ok()) << found.error().line();
  for (const NpuFinding& f : *found)
    EXPECT_NE(f.severity, NpuSeverity::error) << f.rule << " " << f.where << ": " << f.what;
}

TEST(NpuLower, a_wrong_addition_is_found_where_its_zero_point_is_taken_off_behind_it) {
  Net n(11);
  const ValueId x = n.input({1, 4, 6, 6});
  const ValueId sum = n.add_to(x, n.requantized(x), "Add", -128);
  const Graph g = n.finish(n.conv(sum, 8, {3, 3}, {1, 1}, {0, 0, 0, 0}));
  NpuProgram p = lowered(g);
  const auto errors = [&] {
    auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
    EXPECT_TRUE(sim.ok());
    auto found = audit_npu(*sim, &g);
    EXPECT_TRUE(found.ok());
    std::erase_if(*found, [](const NpuFinding& f) { return f.severity != NpuSeverity::error; });
    return std::move(found).value();
  };
  EXPECT_TRUE(errors().empty());
  for (NpuEpoch& e : p.epochs)
    for (NpuUnit& u : e.units)
      if (u.fields.contains("dualinput")) u.fields["C_scalar"] = NpuField::of(0);
  const auto found = errors();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].rule, "operands-wrong");
}

// Behind the Add a unit whose shifts reach 78 together: no such number of bits is shifted here.
TEST(NpuLower, an_addition_before_a_unit_of_the_greatest_shifts_is_audited) {
  Net n(11);
  const ValueId x = n.input({1, 4, 6, 6});
  const ValueId sum = n.add_to(x, n.requantized(x), "Add", -128);
  const Graph g = n.finish(n.conv(sum, 8, {3, 3}, {1, 1}, {0, 0, 0, 0}));
  NpuProgram p = lowered(g);
  int changed = 0;
  for (NpuEpoch& e : p.epochs)
    for (NpuUnit& u : e.units)
      if (u.name.find("_suboff_") != std::string::npos && u.name.starts_with("Add_")) {
        u.fields["shift_o"] = NpuField::of(47), u.fields["Ax_shift"] = NpuField::of(31);
        ++changed;
      }
  EXPECT_EQ(changed, 1);
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(p)));
  ASSERT_TRUE(sim.ok()) << sim.error().line();
  const auto found = audit_npu(*sim, &g);
  ASSERT_TRUE(found.ok()) << found.error().line();
  for (const NpuFinding& f : *found) EXPECT_NE(f.rule, "operands-wrong") << f.what;
}

TEST(NpuLower, a_depthwise_kernel_in_two_epochs_has_the_models_weights) {
  Net n(10);
  const Graph g = n.finish(n.conv(n.input({1, 8, 24, 3}), 8, {17, 1}, {1, 1}, {0, 0, 0, 0}, 8));
  const NpuProgram p = lowered(g);
  ASSERT_EQ(std::ranges::count_if(p.epochs,
                                  [](const NpuEpoch& e) { return e.nodes[0].second == "Conv"; }),
            2);
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
  ASSERT_TRUE(sim.ok());
  const auto found = audit_npu(*sim, &g);
  ASSERT_TRUE(found.ok());
  for (const NpuFinding& f : *found)
    EXPECT_NE(f.severity, NpuSeverity::error) << f.rule << " " << f.what;
}

// A kernel of 7x7 is cut for six units: in a chain, and over memory into a second epoch.
TEST(NpuLower, a_shift_that_only_one_unit_of_a_chain_has_is_found_in_its_epoch) {
  Net n(9);
  const Graph g = n.finish(n.conv(n.input({1, 3, 12, 12}), 8, {7, 7}, {1, 1}, {3, 3, 3, 3}));
  const NpuProgram right = lowered(g);
  int planted = 0;
  for (std::size_t e = 0; e < right.epochs.size(); ++e)
    for (std::size_t u = 0; u < right.epochs[e].units.size(); ++u) {
      if (right.epochs[e].units[u].id.kind != NpuKind::conv) continue;
      NpuProgram wrong = right;
      NpuField& shift = wrong.epochs[e].units[u].fields["shift_o"];
      shift = NpuField::of(shift.integer + 1);
      auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(wrong)));
      ASSERT_TRUE(sim.ok());
      const auto found = audit_npu(*sim, &g);
      ASSERT_TRUE(found.ok());
      const bool hit = std::ranges::any_of(*found, [&](const NpuFinding& f) {
        return f.severity == NpuSeverity::error && f.epoch == right.epochs[e].number;
      });
      const bool last = e + 1 == right.epochs.size() && u + 1 == right.epochs[e].units.size();
      EXPECT_TRUE(hit || last) << "epoch " << e << " unit " << u;
      ++planted;
    }
  EXPECT_EQ(planted, 6);
}

TEST(NpuLower, a_difference_is_an_addition_with_a_negative_coefficient) {
  Net n(7);
  const ValueId x = n.input({1, 5, 6, 3});
  const Graph g = n.finish(n.add_to(x, n.requantized(x), "Sub"));
  std::int64_t compared = 0;
  EXPECT_EQ(differences(g, lowered(g), compared), 0);
  EXPECT_GT(compared, 200);
}

// Above 128 channels and no multiple of 8: between layers of the accelerator, from codes with their
// zero point and without.
Graph with_cpu_layers(std::uint64_t seed) {
  Net n(seed);
  const ValueId a = n.conv(n.input({1, 4, 5, 6}), 130, {3, 3}, {1, 1}, {1, 1, 1, 1});
  const ValueId b = n.conv(a, 132, {1, 1}, {2, 1}, {0, 0, 0, 0});
  const ValueId c = n.conv(b, 140, {1, 1}, {1, 1}, {1, 0, 0, 2}, 1, 9);
  return n.finish(n.conv(n.requantized(c), 16, {1, 1}, {1, 2}, {0, 0, 0, 0}, 1, -3));
}

TEST(NpuLower, a_layer_that_falls_to_the_cpu_is_a_call_that_describes_it) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Graph g = with_cpu_layers(seed);
    const NpuProgram p = lowered(g);
    EXPECT_EQ(std::ranges::count_if(p.epochs,
                                    [](const NpuEpoch& e) {
                                      return software_function(e) == "ll_sw_forward_conv_integer";
                                    }),
              3);
    std::int64_t compared = 0;
    EXPECT_EQ(differences(g, p, compared), 0) << seed;
    EXPECT_GT(compared, 130 * 30 + 132 * 18 + 140 * 40);
    EXPECT_TRUE(test::errors_of(p, g).empty());
    auto json = parse_npu_json(format_npu_json(p), p.file);
    ASSERT_TRUE(json.ok()) << json.error().line();
    const auto text = format_network_c_with_blobs(p, "network_ecblobs.h");
    ASSERT_TRUE(text.ok()) << text.error().line();
    const NpuBlobText header{"network_ecblobs.h", text->header};
    auto blobs = parse_network_c(text->c, "network.c", &header);
    ASSERT_TRUE(blobs.ok()) << blobs.error().line();
    for (auto* again : {&*json, &*blobs}) {
      again->images.insert(again->images.end(), p.images.begin(), p.images.end());
      compared = 0;
      EXPECT_EQ(differences(g, *again, compared), 0) << again->file;
    }
  }
}

// The map's bytes are no multiple of a word's three.
TEST(NpuLower, one_by_one_kernels_under_dense_maps_run_in_deep_mode) {
  Net n(9);
  const ValueId a = n.conv(n.input({1, 4, 5, 5}), 16, {3, 3}, {1, 1}, {1, 1, 1, 1});
  const ValueId b = n.conv(a, 10, {1, 1}, {1, 1}, {0, 0, 0, 0});
  const Graph g = n.finish(n.conv(b, 16, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, 4));
  const NpuProgram p = lowered(g);
  int deep = 0;
  for (const NpuEpoch& e : p.epochs)
    for (const NpuUnit& u : e.units) {
      const auto it = u.fields.find("deepmode");
      deep += it != u.fields.end() && it->second.integer != 0;
    }
  EXPECT_EQ(deep, 1);  // b has ten channels
  std::int64_t compared = 0;
  EXPECT_EQ(differences(g, p, compared), 0);
  EXPECT_GE(compared, 25 * (4 + 16 + 10 + 16));
  EXPECT_TRUE(test::errors_of(p, g).empty());
}

TEST(NpuLower, what_has_no_form_is_left_out_where_that_is_asked_for) {
  Net n(8);
  const ValueId x = n.input({1, 4, 5, 6});
  const ValueId a = n.conv(x, 8, {3, 3}, {1, 1}, {1, 1, 1, 1});
  const ValueId b = n.conv(a, 8, {1, 1}, {1, 1}, {0, 0, 0, 0});
  const Graph g = n.finish(n.add_to(b, n.one("Sigmoid", b)));
  std::vector<std::string> left_out;
  auto p = lower_to_npu(g, "net.program.json", &left_out);
  ASSERT_TRUE(p.ok()) << p.error().line();
  ASSERT_EQ(left_out.size(), 2u);
  EXPECT_NE(left_out[0].find("Sigmoid"), std::string::npos) << left_out[0];
  EXPECT_NE(left_out[1].find("not in memory"), std::string::npos) << left_out[1];
  std::int64_t compared = 0;
  EXPECT_EQ(differences(g, std::move(p).value(), compared), 0);
  EXPECT_EQ(compared, 4 * 30 + 8 * 30 + 8 * 30);
}

TEST(NpuLower, what_has_no_form_is_refused_by_name) {
  const auto refusal = [](Graph g) {
    const auto p = lower_to_npu(g, "net.program.json");
    return p.ok() ? "lowered" : p.error().line();
  };
  {
    Net n(1);
    EXPECT_NE(refusal(n.finish(n.one("Sigmoid", n.input({1, 2, 3, 3})))).find("Sigmoid"),
              std::string::npos);
  }
  {
    Net n(1);
    const auto text =
        refusal(n.finish(n.conv(n.input({2, 4, 3, 3}), 8, {1, 1}, {1, 1}, {0, 0, 0, 0})));
    EXPECT_NE(text.find("batch of 2"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace lockstep
