// How a convolution takes codes that never cross memory.
#include <gtest/gtest.h>

#include <algorithm>

#include "npu/lowered_net.h"
#include "npu/lowered_program.h"
#include "npu/small_program.h"

namespace lockstep {
namespace {

constexpr NpuUnitId passes{NpuKind::arith, 3}, writer{NpuKind::stream, 9};

Graph one_layer() {
  test::Net n(3);
  const ValueId x = n.input({1, 4, 5, 6});
  n.value_of(x).quant.zero = {0};  // enters in one byte
  return n.finish(n.conv(x, 8, {3, 3}, {1, 1}, {1, 1, 1, 1}, 1, -20));
}

// The features come from a unit that passes them on and stores them beside.
NpuProgram stored_beside(const Graph& g) {
  NpuProgram p = test::lowered(g);
  NpuEpoch& e = p.epochs.back();
  const NpuBuffer x = *p.find_buffer(g.value(g.inputs()[0]).name);
  NpuBuffer copy = x;
  copy.name = "copy", copy.base = 0x90000000, copy.start = 0, copy.end = copy.limit = x.bytes();
  copy.epoch = e.number, copy.user_allocated = false;
  p.pools.push_back({"more", copy.base, 1 << 20, false, {}});
  p.buffers.push_back(copy);
  for (NpuLink& l : e.links)
    if (l.to.unit.kind == NpuKind::conv && l.to.port == 0) {
      e.links.push_back(test::link(l.from[0].source.unit, passes));
      l.from[0].source = {passes, 0};
      break;
    }
  for (NpuUnit& u : e.units)
    if (u.id.kind == NpuKind::conv) u.fields["inbytes_f"] = NpuField::of(1);
  e.links.push_back(test::link(passes, writer));
  e.units.push_back(
      {passes, "passes", "",
       test::fields({{"inbytes_x", 1},
                     {"outbytes_x", 1},
                     {"rounding_o", 1},
                     {"saturation_o", 1},
                     {"round_mode_o", 1},
                     {"outbytes_o", 1},
                     {"scalar", 1},
                     {"A_scalar", 1}},
                    {{"operation", "ARITH_AFFINE"}, {"bcast", "ARITH_BCAST_SCALAR"}})});
  e.units.push_back({writer, "writer", "copy",
                     test::fields({{"dir", 1},
                                   {"raw", 1},
                                   {"addr_base", static_cast<std::int64_t>(copy.base)},
                                   {"offset_end", copy.bytes()},
                                   {"frame_count", copy.bytes()},
                                   {"frame_tot_cnt", 1},
                                   {"nbits_in", 8},
                                   {"nbits_out", 8}})});
  return p;
}

TEST(AuditFeatures, codes_that_enter_from_a_unit_must_be_taken_as_it_stores_them) {
  const Graph g = one_layer();
  EXPECT_TRUE(test::errors_of(stored_beside(g), g).empty());
  for (const char* field : {"f_unsigned", "fsub"}) {
    NpuProgram p = stored_beside(g);
    for (NpuUnit& u : p.epochs.back().units)
      if (u.id.kind == NpuKind::conv) {
        NpuField& f = u.fields[field];
        f = NpuField::of(f.integer == 0 ? 1 : 0);
      }
    const auto found = test::errors_of(p, g);
    EXPECT_GT(std::ranges::count(found, "zero-point-wrong"), 0) << field;
  }
}

}  // namespace
}  // namespace lockstep
