// A kernel in two convolution units whose sums an arithmetic unit adds up: one layer of the model.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "npu/layers.h"
#include "npu/lowered_net.h"
#include "npu/lowered_program.h"
#include "npu/small_program.h"

namespace lockstep {
namespace {

constexpr NpuUnitId joiner{NpuKind::arith, 3};

Graph wide_kernel() {
  test::Net n(8);
  return n.finish(n.conv(n.input({1, 3, 9, 9}), 8, {5, 5}, {2, 2}, {1, 1, 2, 2}, 1, -9));
}

NpuUnit& unit(NpuEpoch& e, NpuUnitId id) {
  return *std::ranges::find(e.units, id, &NpuUnit::id);
}

// The lowered program hands sums on from unit to unit; here both leave theirs to an adder.
NpuProgram joined(const Graph& g) {
  NpuProgram p = test::lowered(g);
  NpuEpoch& e = p.epochs.back();
  const auto handed = std::ranges::find_if(
      e.links, [](const NpuLink& l) { return l.to.unit.kind == NpuKind::conv && l.to.port == 2; });
  EXPECT_NE(handed, e.links.end());
  const NpuUnitId second = handed->to.unit, first = handed->from[0].source.unit;
  e.links.erase(handed);
  NpuUnit& last = unit(e, second);
  last.name = unit(e, first).name;
  last.fields["accumulate"] = last.fields["accumulate_first"] = NpuField::of(0);
  for (NpuLink& l : e.links)
    for (NpuSource& s : l.from)
      if (s.source.unit == second) s.source.unit = joiner;
  EXPECT_EQ(std::ranges::find(e.units, joiner, &NpuUnit::id), e.units.end());
  e.units.push_back(
      {joiner, "adder", "",
       test::fields({{"inbytes_x", 2},
                     {"outbytes_x", 2},
                     {"inbytes_y", 2},
                     {"outbytes_y", 2},
                     {"rounding_o", 1},
                     {"saturation_o", 1},
                     {"round_mode_o", 1},
                     {"outbytes_o", 2},
                     {"scalar", 1},
                     {"dualinput", 1},
                     {"A_scalar", 1},
                     {"B_scalar", 1}},
                    {{"operation", "ARITH_AFFINE"}, {"bcast", "ARITH_BCAST_SCALAR"}})});
  e.links.push_back(test::link(first, joiner, 0));
  e.links.push_back(test::link(second, joiner, 1));
  return p;
}

TEST(JoinedSums, two_units_and_the_one_that_adds_them_are_one_layer) {
  const Graph g = wide_kernel();
  const NpuProgram p = joined(g);
  EXPECT_TRUE(test::errors_of(p, g).empty());
  const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
  ASSERT_TRUE(sim.ok()) << sim.error().line();
  const auto layers = npu_layers(*sim);
  ASSERT_TRUE(layers.ok()) << layers.error().line();
  ASSERT_EQ(layers->size(), 1u);
  EXPECT_EQ(layers->front().convs.size(), 2u);
  EXPECT_EQ(layers->front().kernel_size.front(), 75);
  EXPECT_TRUE(layers->front().stages.back().ends_in_codes());
}

TEST(JoinedSums, a_bug_in_either_part_or_in_the_addition_is_named) {
  const Graph g = wide_kernel();
  const auto conv = [](NpuEpoch& e, bool second) -> NpuUnit& {
    for (const NpuLink& l : e.links)
      if (l.to.unit == joiner && l.to.port == (second ? 1 : 0))
        return unit(e, l.from[0].source.unit);
    return e.units.front();
  };
  struct Bug {
    const char* rule;
    std::function<void(NpuProgram&, NpuEpoch&)> plant;
  };
  const auto change_kernels = [&](bool second) {
    return [&conv, second](NpuProgram& p, NpuEpoch& e) {
      const NpuUnitId id = conv(e, second).id;
      for (const NpuLink& l : e.links)
        if (l.to.unit == id && l.to.port == 1) {
          NpuUnit& s = unit(e, l.from[0].source.unit);
          const auto at = static_cast<std::uint64_t>(s.fields["addr_base"].integer +
                                                     s.fields["offset_start"].integer) -
                          p.images[0].base;
          p.images[0].bytes.at(at) ^= std::byte{85};
        }
    };
  };
  const std::vector<Bug> bugs = {
      {"weights-differ", change_kernels(false)},
      {"weights-differ", change_kernels(true)},
      {"sums-misaligned",
       [](NpuProgram&, NpuEpoch& e) { unit(e, joiner).fields["B_scalar"].integer = 2; }},
      {"sums-misaligned",
       [](NpuProgram&, NpuEpoch& e) { unit(e, joiner).fields["shift_o"] = NpuField::of(1); }},
      {"sums-misaligned",
       [&](NpuProgram&, NpuEpoch& e) { ++conv(e, true).fields["shift_o"].integer; }},
  };
  for (const Bug& bug : bugs) {
    NpuProgram p = joined(g);
    bug.plant(p, p.epochs.back());
    const auto found = test::errors_of(p, g);
    EXPECT_EQ(std::ranges::count(found, bug.rule), 1) << bug.rule;
  }
}

}  // namespace
}  // namespace lockstep
