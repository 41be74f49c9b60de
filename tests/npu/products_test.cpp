// Products of one tensor by constants, held in 16 bits between epochs.
#include "npu/products.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "npu/audit.h"
#include "npu/small_program.h"

namespace lockstep {
namespace {

NpuUnit stream(int id, bool writes, const std::string& buffer, std::int64_t start,
               std::int64_t bits) {
  return {{NpuKind::stream, id},
          (writes ? "out" : "in") + std::to_string(id),
          buffer,
          test::fields({{"dir", writes},
                        {"raw", 1},
                        {"addr_base", static_cast<std::int64_t>(test::ram)},
                        {"offset_start", start},
                        {"offset_end", start + 24 * bits / 8},
                        {"frame_tot_cnt", 1},
                        {"nbits_in", bits},
                        {"nbits_out", bits}})};
}

NpuUnit arith(int id, std::initializer_list<std::pair<const char*, std::int64_t>> numbers) {
  NpuUnit u{
      {NpuKind::arith, id},
      "arith" + std::to_string(id),
      "",
      test::fields(numbers, {{"operation", "ARITH_AFFINE"}, {"bcast", "ARITH_BCAST_SCALAR"}})};
  for (const char* on : {"rounding_o", "saturation_o", "round_mode_o", "scalar"})
    u.fields.emplace(on, NpuField::of(1));
  return u;
}

// x (zero point -128) times a constant of code -128 and zero point 127: -255 x, whose table gives
// the zero point -127 * -128. Codes of y are made of it with the zero point that it has: 255 * 128.
NpuProgram products() {
  NpuProgram p = test::small_program();
  p.images.clear();
  const std::vector<NpuBuffer> old = std::move(p.buffers);
  p.buffers.clear();
  const auto buffer = [&](const char* name, int epoch, std::int64_t start, int bits, double scale,
                          std::int64_t zero) {
    NpuBuffer b = old[0];
    b.name = name, b.epoch = epoch, b.start = start, b.end = start + 3 * bits, b.limit = b.end + 64;
    b.type = bits == 16 ? "DataType_INT16" : "DataType_INT8";
    b.nbits = bits, b.scale = {scale}, b.zero = {zero};
    p.buffers.push_back(std::move(b));
  };
  buffer("x", 0, 0, 8, 1.0 / 256, -128);
  buffer("Mul_1_out_0", 1, 64, 16, 1.0 / 65280, 16256);
  buffer("y", 2, 128, 8, 2.0 / 255, -1);
  const NpuUnitId a0{NpuKind::arith, 0}, a1{NpuKind::arith, 1}, s0{NpuKind::stream, 0},
      s1{NpuKind::stream, 1};
  NpuEpoch first, second;
  first.number = 1, second.number = 2;
  first.units = {
      stream(0, false, "x", 0, 8), stream(1, true, "Mul_1_out_0", 64, 16),
      arith(0, {{"inbytes_x", 1}, {"outbytes_x", 1}, {"outbytes_o", 2}, {"A_scalar", -128}}),
      arith(1, {{"inbytes_x", 2},
                {"outbytes_x", 2},
                {"inbytes_y", 1},
                {"outbytes_y", 1},
                {"outbytes_o", 2},
                {"dualinput", 1},
                {"A_scalar", 16384},
                {"Ax_shift", 6},
                {"B_scalar", -32512},
                {"shift_o", 8}})};
  first.links = {test::link(s0, a0), test::link(a0, a1), test::link(s0, a1, 1), test::link(a1, s1)};
  second.units = {stream(0, false, "Mul_1_out_0", 64, 16), stream(1, true, "y", 128, 8),
                  arith(0, {{"inbytes_x", 2},
                            {"outbytes_x", 2},
                            {"outbytes_o", 1},
                            {"A_scalar", 16384},
                            {"C_scalar", -16576},
                            {"C_shift", 15},
                            {"shift_o", 23}})};
  second.links = {test::link(s0, a0), test::link(a0, s1)};
  p.epochs = {std::move(first), std::move(second)};
  return p;
}

int zero_points_wrong(const NpuProgram& p) {
  const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
  EXPECT_TRUE(sim.ok()) << (sim.ok() ? "" : sim.error().line());
  const auto found =
      sim.ok() ? audit_npu(*sim, nullptr) : Result<std::vector<NpuFinding>>(sim.error());
  EXPECT_TRUE(found.ok());
  if (!found.ok()) return -1;
  return static_cast<int>(std::ranges::count(*found, "zero-point-wrong", &NpuFinding::rule));
}

TEST(Products, a_product_by_a_constant_is_followed_back_to_its_tensor) {
  const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(products()));
  ASSERT_TRUE(sim.ok()) << sim.error().line();
  const NpuBuffer* b = sim->program().find_buffer("Mul_1_out_0");
  const auto made = npu_product_of(*sim, *b);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->of->name, "x");
  EXPECT_EQ(made->factor, -255);
  EXPECT_EQ(made->constant, 0);
}

// Codes that are made in the epoch of the product, and stored beside it.
TEST(Products, a_product_of_codes_that_go_to_memory_too_is_one_of_these) {
  NpuProgram p = products();
  p.buffers.push_back(p.buffers[0]);
  NpuBuffer& q = p.buffers.back();
  q.name = "q", q.epoch = 1, q.start = 192, q.end = 216, q.limit = 280;
  NpuEpoch& e = p.epochs[0];
  const NpuUnitId a2{NpuKind::arith, 2}, s0{NpuKind::stream, 0}, s2{NpuKind::stream, 2};
  e.units.push_back(stream(2, true, "q", 192, 8));
  e.units.push_back(
      arith(2, {{"inbytes_x", 1}, {"outbytes_x", 1}, {"outbytes_o", 1}, {"A_scalar", 1}}));
  for (NpuLink& l : e.links)
    for (NpuSource& s : l.from)
      if (s.source.unit == s0) s.source.unit = a2;
  e.links.push_back(test::link(s0, a2));
  e.links.push_back(test::link(a2, s2));
  const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(p)));
  ASSERT_TRUE(sim.ok()) << sim.error().line();
  const auto made = npu_product_of(*sim, *sim->program().find_buffer("Mul_1_out_0"));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->of->name, "q");
  EXPECT_EQ(made->factor, -255);
}

// Its zero point was called lost, by 32 LSB, against the table.
TEST(Products, codes_made_of_a_product_are_held_to_the_zero_point_that_it_has) {
  NpuProgram p = products();
  EXPECT_EQ(zero_points_wrong(p), 0);
  p.epochs[1].units[2].fields["C_scalar"] = NpuField::of(-8384);  // by the table
  EXPECT_EQ(zero_points_wrong(p), 1);
}

}  // namespace
}  // namespace lockstep
