// A kernel in two convolution units whose sums an arithmetic unit adds up: one layer of the model.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "npu/layers.h"
#include "npu/lowered_net.h"
#include "npu/lowered_program.h"
#include "npu/lowered_run.h"
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

bool reads(const NpuUnit& u) {
  const auto dir = u.fields.find("dir");
  return dir == u.fields.end() || dir->second.integer == 0;
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

// The same with the first part in an epoch of its own, its sums of 16 bits in memory between.
NpuProgram joined_over_memory(const Graph& g) {
  NpuProgram p = joined(g);
  NpuEpoch& last = p.epochs.back();
  const auto to_joiner = std::ranges::find_if(
      last.links, [](const NpuLink& l) { return l.to.unit == joiner && l.to.port == 0; });
  const NpuUnitId first = to_joiner->from[0].source.unit;
  const std::int64_t sums = p.find_buffer(g.value(g.outputs()[0]).name)->count();
  NpuBuffer left;
  left.name = "left", left.base = 0x90000000, left.end = left.limit = 2 * sums;
  left.epoch = last.number, left.type = "DataType_FXP", left.nbits = 16;
  left.qn = -static_cast<int>(unit(last, first).fields["shift_o"].integer);
  left.shape = left.mem_shape = {sums}, left.chpos = "CHPos_UNDEFINED";
  p.pools.push_back({"more", left.base, 1 << 20, false, {}});
  const auto stream = [&](NpuUnitId id, std::int64_t dir) {
    return NpuUnit{id, text_of(id), left.name,
                   test::fields({{"dir", dir},
                                 {"raw", 1},
                                 {"addr_base", static_cast<std::int64_t>(left.base)},
                                 {"offset_end", 2 * sums},
                                 {"frame_count", sums},
                                 {"frame_tot_cnt", 1},
                                 {"nbits_in", 16},
                                 {"nbits_out", 16}})};
  };
  constexpr NpuUnitId writer{NpuKind::stream, 8}, reader{NpuKind::stream, 9};
  NpuEpoch earlier;
  earlier.number = last.number;
  for (const NpuLink& l : last.links)
    if (l.to.unit == first) {
      earlier.links.push_back(l);
      if (std::ranges::find(earlier.units, l.from[0].source.unit, &NpuUnit::id) ==
          earlier.units.end())
        earlier.units.push_back(unit(last, l.from[0].source.unit));
    }
  earlier.units.push_back(unit(last, first));
  earlier.units.push_back(stream(writer, 1));
  earlier.links.push_back(test::link(first, writer));
  to_joiner->from[0].source = {reader, 0};
  std::erase_if(last.links, [&](const NpuLink& l) { return l.to.unit == first; });
  std::erase_if(last.units, [&](const NpuUnit& u) { return u.id == first; });
  std::erase_if(last.units, [&](const NpuUnit& u) {
    return u.id.kind == NpuKind::stream && reads(u) &&
           std::ranges::none_of(last.links,
                                [&](const NpuLink& l) { return l.from[0].source.unit == u.id; });
  });
  last.units.push_back(stream(reader, 0));
  for (NpuBuffer& b : p.buffers)
    if (!b.is_param && b.epoch == last.number) ++b.epoch;
  ++last.number;
  p.buffers.push_back(left);
  p.epochs.insert(p.epochs.end() - 1, earlier);
  return p;
}

TEST(JoinedSums, a_part_that_an_earlier_epoch_left_in_memory_is_of_the_layer) {
  const Graph g = wide_kernel();
  NpuProgram p = joined_over_memory(g);
  EXPECT_TRUE(test::errors_of(p, g).empty());
  std::int64_t compared = 0;
  EXPECT_EQ(test::differences(g, p, compared), test::differences(g, joined(g), compared));
  EXPECT_GT(compared, 0);
  const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
  ASSERT_TRUE(sim.ok()) << sim.error().line();
  const auto layers = npu_layers(*sim);
  ASSERT_TRUE(layers.ok()) << layers.error().line();
  ASSERT_EQ(layers->size(), 2u);
  EXPECT_TRUE(layers->front().continued);
  EXPECT_EQ(layers->back().kernel_size.front(), 75);
  EXPECT_EQ(layers->back().parts, 2);
  ASSERT_FALSE(layers->back().stages.empty());
  EXPECT_TRUE(layers->back().stages.back().ends_in_codes());
  unit(p.epochs.back(), joiner).fields["B_scalar"].integer = 2;
  const auto found = test::errors_of(p, g);
  EXPECT_EQ(std::ranges::count(found, "sums-misaligned"), 1);
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
