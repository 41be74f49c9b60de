// What the constants behind a convolution's sums are, where its arithmetic is laid out in uncommon
// ways.
#include "npu/layers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "npu/lowered_net.h"
#include "npu/lowered_program.h"
#include "npu/lowered_run.h"
#include "npu/small_program.h"

namespace lockstep {
namespace {

NpuUnit& unit(NpuEpoch& e, NpuUnitId id) {
  return *std::ranges::find(e.units, id, &NpuUnit::id);
}

std::vector<NpuLayer> layers_of(const NpuProgram& p) {
  const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
  EXPECT_TRUE(sim.ok()) << (sim.ok() ? "" : sim.error().line());
  auto layers = sim.ok() ? npu_layers(*sim) : Result<std::vector<NpuLayer>>(sim.error());
  EXPECT_TRUE(layers.ok()) << (layers.ok() ? "" : layers.error().line());
  return layers.ok() ? std::move(*layers) : std::vector<NpuLayer>{};
}

// The products of the first arithmetic unit go to memory; the epoch behind it makes codes of them.
NpuProgram product_in_memory(const Graph& g) {
  NpuProgram p = test::lowered(g);
  NpuEpoch first = p.epochs.back(), then;
  const auto behind = [&](NpuKind from) {
    return std::ranges::find_if(first.links, [&](const NpuLink& l) {
      return l.to.unit.kind == NpuKind::arith && l.from[0].source.unit.kind == from;
    });
  };
  EXPECT_NE(behind(NpuKind::arith), first.links.end());
  const NpuUnitId product = behind(NpuKind::arith)->from[0].source.unit,
                  codes = behind(NpuKind::arith)->to.unit;
  const std::int64_t count = p.find_buffer(g.value(g.outputs()[0]).name)->count();
  NpuBuffer left;
  left.name = "left", left.base = 0x90000000, left.end = left.limit = 2 * count;
  left.epoch = first.number, left.type = "DataType_FXP", left.nbits = 16;
  left.shape = left.mem_shape = {count}, left.chpos = "CHPos_UNDEFINED";
  p.pools.push_back({"more", left.base, 1 << 20, false, {}});
  constexpr NpuUnitId writer{NpuKind::stream, 8}, reader{NpuKind::stream, 9};
  const auto stream = [&](NpuUnitId id, std::int64_t dir) {
    return NpuUnit{id, text_of(id), left.name,
                   test::fields({{"dir", dir},
                                 {"raw", 1},
                                 {"addr_base", static_cast<std::int64_t>(left.base)},
                                 {"offset_end", 2 * count},
                                 {"frame_count", count},
                                 {"frame_tot_cnt", 1},
                                 {"nbits_in", 16},
                                 {"nbits_out", 16}})};
  };
  then.number = first.number + 1;
  then.units = {stream(reader, 0), unit(first, codes)};
  then.links = {test::link(reader, codes)};
  for (const NpuLink& l : first.links)
    if (l.from[0].source.unit == codes) {
      then.units.push_back(unit(first, l.to.unit));
      then.links.push_back(l);
    }
  std::erase_if(first.links, [&](const NpuLink& l) {
    return l.to.unit == codes || l.from[0].source.unit == codes;
  });
  std::erase_if(first.units, [&](const NpuUnit& u) {
    return u.id == codes ||
           std::ranges::any_of(then.links, [&](const NpuLink& l) { return l.to.unit == u.id; });
  });
  first.units.push_back(stream(writer, 1));
  first.links.push_back(test::link(product, writer));
  for (NpuBuffer& b : p.buffers)
    if (!b.is_param && b.epoch == first.number) b.epoch = then.number;
  p.buffers.push_back(left);
  p.epochs.back() = first;
  p.epochs.push_back(then);
  return p;
}

TEST(NpuLayers, a_product_that_crosses_memory_belongs_to_the_layer_with_what_follows) {
  test::Net n(6);
  const Graph g = n.finish(n.conv(n.input({1, 3, 6, 5}), 8, {3, 3}, {1, 1}, {1, 1, 1, 1}, 1, -9));
  NpuProgram p = product_in_memory(g);
  const auto layers = layers_of(p);
  ASSERT_EQ(layers.size(), 1u);
  ASSERT_EQ(layers[0].stages.size(), 2u);
  EXPECT_TRUE(layers[0].stages.back().ends_in_codes());
  EXPECT_EQ(layers[0].codes_epoch, layers[0].epoch + 1);
  EXPECT_TRUE(test::errors_of(p, g).empty());
  std::int64_t compared = 0;
  EXPECT_EQ(test::differences(g, p, compared), 0);
  EXPECT_GT(compared, 0);
  for (NpuUnit& u : p.epochs.back().units)
    if (u.id.kind == NpuKind::arith) ++u.fields["shift_o"].integer;
  const auto found = test::errors_of(p, g);
  EXPECT_GT(std::ranges::count(found, "multiplier-wrong"), 0);
}

}  // namespace
}  // namespace lockstep
