// Functions of the activation unit, given as tables.
#include <gtest/gtest.h>

#include "npu/layout.h"
#include "npu/simulate.h"
#include "npu/small_program.h"

namespace lockstep {
namespace {

// x -> 3 x by a table of one segment.
NpuProgram three_times() {
  NpuProgram p = test::small_program();
  NpuImage& image = p.images[0];
  const std::size_t first = image.bytes.size(), rows = first + 2;
  image.bytes.resize(rows + 6);
  image.bytes[rows + 2] = std::byte{3};
  const NpuUnitId activ{NpuKind::activ, 0};
  NpuEpoch& e = p.epochs[0];
  std::erase_if(e.units, [](const NpuUnit& u) { return u.name != "in" && u.name != "out"; });
  for (NpuUnit& u : e.units) u.fields["batch_depth"] = u.fields["batch_offset"] = NpuField::of(2);
  const auto at = [&](std::size_t i) { return static_cast<std::int64_t>(test::flash + i); };
  e.units.push_back({activ, "table", "",
                     test::fields({{"inbytes_f", 1},
                                   {"outbytes_f", 1},
                                   {"outbytes_o", 1},
                                   {"rounding_o", 1},
                                   {"saturation_o", 1},
                                   {"round_mode_o", 1},
                                   {"signedop", 1},
                                   {"shift_norm", 8},
                                   {"ROM0_vector", at(first)},
                                   {"ROM0_nbytes", 1},
                                   {"ROM1_vector", at(rows)},
                                   {"ROM1_nbytes", 6}},
                                  {{"operation", "ACTIV_FUNC"}})});
  e.links = {test::link(e.units[0].id, activ), test::link(activ, e.units[1].id)};
  NpuBuffer& y = p.buffers[1];
  y.shape = y.mem_shape = {1, 3, 4, 2};
  y.batch = 2, y.end = y.start + 24, y.limit = y.end + 64;
  return p;
}

// A table may be right to 1 LSB and its result be off by more: where its input is made in the same
// epoch and one code off, too.
TEST(ActivUnit, a_table_says_how_much_one_code_of_its_input_moves_its_result) {
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(three_times()));
  ASSERT_TRUE(sim.ok()) << sim.error().line();
  Tensor x(DType::u8, {1, 2, 3, 4});
  for (int i = 0; i < 24; ++i) x.set_code(i, 2 * i);
  const auto ran = sim->run({{"x", x}});
  ASSERT_TRUE(ran.ok()) << ran.error().line();
  const auto y = read_buffer(*sim->outputs().at(0), sim->memory(), "test");
  ASSERT_TRUE(y.ok()) << y.error().line();
  for (int i = 0; i < 24; ++i) EXPECT_EQ(y->code(i), std::min(6 * i, 127)) << i;
  ASSERT_EQ(sim->counts().inexact.size(), 1u);
  EXPECT_NE(sim->counts().inexact[0].find("one code moves it by up to 3 LSB"), std::string::npos)
      << sim->counts().inexact[0];
}

}  // namespace
}  // namespace lockstep
