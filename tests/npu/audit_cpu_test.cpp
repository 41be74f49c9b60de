// Mistakes in what a compiled network leaves to the CPU, found without running it.
#include <gtest/gtest.h>

#include <functional>

#include "npu/lowered_net.h"
#include "npu/lowered_program.h"
#include "npu/software.h"

namespace lockstep {
namespace {

// The second layer falls to the CPU: above 128 channels and no multiple of 8.
Graph with_a_cpu_layer() {
  test::Net n(3);
  const ValueId a = n.conv(n.input({1, 4, 5, 6}), 130, {3, 3}, {1, 1}, {1, 1, 1, 1});
  const ValueId b = n.conv(a, 12, {1, 1}, {2, 1}, {1, 0, 0, 0}, 1, 9);
  return n.finish(n.conv(b, 16, {1, 1}, {1, 2}, {0, 0, 0, 0}, 1, -3));
}

NpuEpoch& cpu_epoch(NpuProgram& p) {
  return *std::ranges::find_if(p.epochs, [](const NpuEpoch& e) { return !e.hardware(); });
}
NpuFields& structure(NpuProgram& p) {
  return cpu_epoch(p).tables.begin()->second.rows[0];
}
// A byte of a constant that the structure names.
std::byte& byte(NpuProgram& p, const std::string& name, std::size_t at = 0) {
  const auto address =
      static_cast<std::uint64_t>(structure(p).at(name + ".mem.start_offset").integer);
  return p.images[0].bytes.at(address - p.images[0].base + at);
}

TEST(AuditCpu, finds_nothing_wrong_in_a_right_call) {
  const Graph g = with_a_cpu_layer();
  EXPECT_TRUE(test::errors_of(test::lowered(g), g).empty());
}

// Its operand was called written over "before anything has read it".
TEST(AuditCpu, a_tensor_for_an_operation_that_is_not_known_is_not_called_unread) {
  test::Net n(3);
  const ValueId a = n.conv(n.input({1, 4, 5, 6}), 130, {3, 3}, {1, 1}, {1, 1, 1, 1});
  const ValueId b = n.conv(a, 12, {1, 1}, {2, 1}, {1, 0, 0, 0}, 1, 9);
  const ValueId c = n.conv(b, 96, {3, 3}, {1, 1}, {1, 1, 1, 1}, 1, -3);
  const Graph g = n.finish(n.conv(c, 16, {1, 1}, {1, 2}, {0, 0, 0, 0}, 1, -3));
  NpuProgram p = test::lowered(g);
  NpuEpoch& e = cpu_epoch(p);
  for (NpuCall& call : e.calls)
    if (!is_cache_call(call)) call.function = "ll_sw_forward_gru_integer";
  bool reused = false;  // the operand's memory, by what comes later
  for (const NpuBuffer& x : p.buffers)
    for (const NpuBuffer& y : p.buffers)
      reused = reused || (x.epoch == e.number - 1 && y.epoch > e.number && !x.is_param &&
                          !y.is_param && x.start < y.end && y.start < x.end && x.base == y.base);
  ASSERT_TRUE(reused);
  const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
  ASSERT_TRUE(sim.ok());
  const auto found = audit_npu(*sim, &g);
  ASSERT_TRUE(found.ok());
  bool said = false;
  for (const NpuFinding& f : *found) {
    EXPECT_NE(f.severity, NpuSeverity::error) << f.rule << " " << f.epoch << " " << f.what;
    said = said || (f.rule == "cannot-run" && f.epoch == e.number &&
                    f.what.find("ll_sw_forward_gru_integer") != std::string::npos);
  }
  EXPECT_TRUE(said);
}

TEST(AuditCpu, names_what_a_call_says_otherwise_than_the_model) {
  struct Bug {
    const char* rule;
    std::function<void(NpuProgram&)> plant;
  };
  const std::vector<Bug> bugs = {
      {"multiplier-wrong", [](NpuProgram& p) { byte(p, "is", 2) ^= std::byte{0x10}; }},
      {"multiplier-wrong", [](NpuProgram& p) { byte(p, "os", 2) ^= std::byte{0x10}; }},
      {"multiplier-wrong", [](NpuProgram& p) { byte(p, "ws", 2) ^= std::byte{0x10}; }},
      {"zero-point-wrong", [](NpuProgram& p) { byte(p, "izp") ^= std::byte{0x04}; }},
      {"zero-point-wrong", [](NpuProgram& p) { byte(p, "ozp") ^= std::byte{0x04}; }},
      {"weights-differ", [](NpuProgram& p) { byte(p, "weights", 200) ^= std::byte{0x20}; }},
      {"weights-differ",
       [](NpuProgram& p) { structure(p)["weights.mem.start_offset"].integer += 1; }},
      {"constant-wrong", [](NpuProgram& p) { byte(p, "bias", 4) ^= std::byte{0x40}; }},
      {"constant-wrong", [](NpuProgram& p) { structure(p).erase("bias.mem.start_offset"); }},
      {"no-such-buffer",
       [](NpuProgram& p) { structure(p)["general.input.mem.start_offset"].integer += 16; }},
      {"no-such-buffer",
       [](NpuProgram& p) { structure(p)["general.output.mem.start_offset"].integer += 16; }},
      {"padding-wrong", [](NpuProgram& p) { structure(p)["pads"].list[0].integer = 0; }},
      {"padding-wrong", [](NpuProgram& p) { structure(p)["strides"].list[0].integer = 1; }}};
  const Graph g = with_a_cpu_layer();
  const NpuProgram right = test::lowered(g);
  for (const Bug& bug : bugs) {
    NpuProgram p = right;
    bug.plant(p);
    const auto found = test::errors_in(p, g);
    ASSERT_FALSE(found.empty()) << bug.rule;
    EXPECT_EQ(found[0].rule, bug.rule);
    EXPECT_EQ(found[0].epoch, cpu_epoch(p).number) << bug.rule;
  }
}

// What the tables of the tensors say needs no model.
TEST(AuditCpu, holds_scales_and_zero_points_to_the_programs_own_tables) {
  const NpuProgram right = test::lowered(with_a_cpu_layer());
  for (const char* name : {"is", "izp", "os", "ozp"}) {
    NpuProgram p = right;
    byte(p, name, name[1] == 's' ? 2 : 0) ^= std::byte{0x10};
    const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
    ASSERT_TRUE(sim.ok());
    const auto found = audit_npu(*sim, nullptr);
    ASSERT_TRUE(found.ok()) << found.error().line();
    EXPECT_EQ(found->at(0).epoch, cpu_epoch(p).number) << name;
    EXPECT_EQ(found->at(0).severity, NpuSeverity::error) << name;
  }
}

}  // namespace
}  // namespace lockstep
