#include "npu/simulate.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "npu/small_program.h"

namespace lockstep {
namespace {

using test::small_answer;
using test::small_program;

NpuUnit& unit(NpuProgram& p, std::string_view name) {
  for (NpuUnit& u : p.epochs[0].units)
    if (u.name == name) return u;
  return p.epochs[0].units[0];
}

// x in [1,C,H,W] order for input codes x[h,w,c].
Sample input_of(const std::vector<int>& x) {
  Tensor t(DType::u8, {1, 2, 3, 4});
  for (std::int64_t p = 0; p < 12; ++p)
    for (std::int64_t c = 0; c < 2; ++c)
      t.set_code(c * 12 + p, x[static_cast<std::size_t>(2 * p + c)]);
  return {{"x", t}};
}

std::vector<int> ramp() {
  std::vector<int> x;
  for (int i = 0; i < 24; ++i) x.push_back((i * 37 + 11) % 256);
  return x;
}

Result<std::vector<int>> answer(const NpuProgram& program, const Sample& input,
                                NpuRules rules = {}) {
  LOCKSTEP_TRY(NpuSimulator sim,
               NpuSimulator::make(std::make_shared<const NpuProgram>(program), rules));
  LOCKSTEP_CHECK(sim.run(input));
  LOCKSTEP_TRY(const Tensor y, read_buffer(*sim.program().find_buffer("y"), sim.memory(), "test"));
  std::vector<int> codes;
  for (std::int64_t p = 0; p < 12; ++p)
    for (std::int64_t k = 0; k < 3; ++k) codes.push_back(static_cast<int>(y.code(k * 12 + p)));
  return codes;
}

std::string refusal(const NpuProgram& program) {
  const auto y = answer(program, input_of(ramp()));
  return y.ok() ? "accepted" : y.error().line();
}

TEST(NpuSimulate, a_convolution_and_its_requantization_give_the_codes_of_the_formula) {
  const auto y = answer(small_program(), input_of(ramp()));
  ASSERT_TRUE(y.ok()) << y.error().line();
  EXPECT_EQ(*y, small_answer(ramp()));
}

TEST(NpuSimulate, a_tie_rule_changes_only_what_it_names) {
  NpuRules rules;
  rules.conv = NpuTie::down;
  std::vector<int> x = ramp();
  for (int& v : x) v %= 8;
  const auto y = answer(small_program(), input_of(x), rules),
             usual = answer(small_program(), input_of(x));
  ASSERT_TRUE(y.ok());
  EXPECT_EQ(*usual, small_answer(x));
  int lower = 0;
  for (std::size_t i = 0; i < y->size(); ++i) {
    const int k = static_cast<int>(i % 3),
              s = x[i / 3 * 2] * (10 * k - 12) + x[i / 3 * 2 + 1] * (10 * k - 11);
    lower += (*y)[i] != (*usual)[i];
    if (!(s > 0 && s % 4 == 2)) {
      EXPECT_EQ((*y)[i], (*usual)[i]);
    }
  }
  EXPECT_GT(lower, 0);
}

TEST(NpuSimulate, exact_mode_keeps_fractions) {
  NpuRules rules;
  rules.exact = true;
  const auto y = answer(small_program(), input_of(ramp()), rules);
  ASSERT_TRUE(y.ok());
  const auto x = ramp();
  for (std::size_t p = 0; p < 12; ++p)
    for (int k = 0; k < 3; ++k) {
      const double s = x[2 * p] * (10 * k - 12) + x[2 * p + 1] * (10 * k - 11);
      const double v = std::floor(s / 4 * (16384 - 1000 * k) / 16384 + 5 + 0.5);
      EXPECT_EQ((*y)[3 * p + static_cast<std::size_t>(k)], std::clamp(v, -128.0, 127.0));
    }
}

TEST(NpuSimulate, reading_what_nobody_wrote_is_an_error) {
  NpuProgram p = small_program();
  unit(p, "in").fields["offset_start"] = NpuField::of(32);
  EXPECT_NE(refusal(p).find("which nothing wrote"), std::string::npos) << refusal(p);
}

TEST(NpuSimulate, reading_outside_every_memory_is_an_error) {
  NpuProgram p = small_program();
  unit(p, "weights").fields["offset_start"] = NpuField::of(20);
  unit(p, "weights").fields["offset_end"] = NpuField::of(26);
  EXPECT_NE(refusal(p).find("0x70180014 .. 0x7018001a"), std::string::npos) << refusal(p);
}

TEST(NpuSimulate, writing_weights_is_an_error) {
  NpuProgram p = small_program();
  unit(p, "out").fields["addr_base"] = NpuField::of(static_cast<std::int64_t>(test::flash));
  unit(p, "out").fields["offset_start"] = NpuField::of(0);
  unit(p, "out").fields["batch_depth"] = NpuField::of(1);
  EXPECT_NE(refusal(p), "accepted");
}

TEST(NpuSimulate, unknown_fields_and_unknown_values_are_refused_by_name) {
  NpuProgram p = small_program();
  unit(p, "conv").fields["mystery"] = NpuField::of(1);
  EXPECT_NE(refusal(p).find("mystery"), std::string::npos);
  p = small_program();
  unit(p, "conv").fields["mystery"] = NpuField::of(0);
  EXPECT_EQ(refusal(p), "accepted");
  for (const char* name : {"kt1_mode", "shift_f", "vshift"}) {
    p = small_program();
    unit(p, "conv").fields[name] = NpuField::of(1);
    EXPECT_NE(refusal(p).find(name), std::string::npos) << name;
  }
  p = small_program();
  unit(p, "in").fields["frame_loop_cnt2"] = NpuField::of(2);
  EXPECT_NE(refusal(p).find("frame_loop_cnt2"), std::string::npos);
  p = small_program();
  unit(p, "bias").fields["operation"] = NpuField::of_name("ARITH_X_XOR_Y");
  EXPECT_NE(refusal(p).find("ARITH_X_XOR_Y"), std::string::npos);
}

TEST(NpuSimulate, absurd_sizes_are_refused) {
  NpuProgram p = small_program();
  unit(p, "in").fields["fwidth"] = NpuField::of(65536);
  unit(p, "in").fields["fheight"] = NpuField::of(65536);
  EXPECT_NE(refusal(p), "accepted");
  p = small_program();
  unit(p, "in").fields["frame_tot_cnt"] = NpuField::of(std::int64_t{1} << 31);
  EXPECT_NE(refusal(p), "accepted");
  p = small_program();
  unit(p, "in").fields["frame_offset"] = NpuField::of(std::int64_t{1} << 40);
  EXPECT_NE(refusal(p), "accepted");
}

TEST(NpuSimulate, a_missing_link_and_a_cycle_are_named) {
  NpuProgram p = small_program();
  p.epochs[0].links.pop_back();
  EXPECT_NE(refusal(p).find("nothing arrives"), std::string::npos);
  p = small_program();
  p.epochs[0].links[2] = test::link({NpuKind::arith, 1}, {NpuKind::arith, 0});
  EXPECT_NE(refusal(p).find("cycle"), std::string::npos) << refusal(p);
}

// Two passes over one input channel each: the running sum is rounded to 16 bits after the first.
TEST(NpuSimulate, accumulation_passes_round_the_running_sum_each_time) {
  NpuProgram p = small_program();
  p.images[0].bytes.resize(64);
  for (int s = 0; s < 2; ++s)  // pass s, kernel k
    for (int k = 0; k < 3; ++k)
      p.images[0].bytes[static_cast<std::size_t>(3 * s + k)] =
          static_cast<std::byte>(10 * k + s - 12);
  auto& conv = unit(p, "conv").fields;
  conv["batchDepth"] = NpuField::of(1);
  conv["accumulate"] = NpuField::of(1);
  conv["afilt_mode"] = NpuField::of_name("AFILT_MODE_FRAMEZERO");
  conv["afilt_tot"] = NpuField::of(2);
  conv["afilt_first"] = conv["afilt_last"] = NpuField::of(1);
  auto& in = unit(p, "in").fields;
  in["batch_depth"] = NpuField::of(1);
  in["frame_offset"] = NpuField::of(1);
  in["frame_tot_cnt"] = NpuField::of(2);
  const NpuUnitId conv_id{NpuKind::conv, 0}, back{NpuKind::stream, 5}, store{NpuKind::stream, 6};
  NpuFields partial = test::fields({{"raw", 1},
                                    {"align_right", 1},
                                    {"addr_base", static_cast<std::int64_t>(test::ram)},
                                    {"offset_start", 128},
                                    {"offset_end", 200},
                                    {"frame_tot_cnt", 2},
                                    {"nbits_in", 16},
                                    {"nbits_out", 16}});
  p.epochs[0].units.push_back({back, "back", "ATONN_ACCUMULATOR_PORT", partial});
  partial["dir"] = NpuField::of(1);
  p.epochs[0].units.push_back({store, "store", "partial", partial});
  p.epochs[0].links.push_back(test::link(back, conv_id, 2));
  p.epochs[0].links.push_back(test::link(conv_id, store));
  p.epochs[0].links[2].from = {{0, 1, {conv_id, 0}},
                               {1, 1, {conv_id, 0}}};  // the last pass alone goes on
  NpuBuffer sums = p.buffers[1];
  sums.name = "partial", sums.start = 128, sums.end = 200, sums.type = "DataType_FXP",
  sums.nbits = 16, sums.scale = {}, sums.zero = {};
  p.buffers.push_back(sums);
  const auto y = answer(p, input_of(ramp()));
  ASSERT_TRUE(y.ok()) << y.error().line();
  const auto x = ramp();
  const auto nearest = [](long v, long d) {
    return v >= 0 ? (v + d / 2) / d : -((-v + d / 2) / d);
  };
  for (std::size_t q = 0; q < 12; ++q)
    for (int k = 0; k < 3; ++k) {
      const long first = nearest(x[2 * q] * (10 * k - 12), 4);
      const long s = nearest(x[2 * q + 1] * (10 * k - 11) + first * 4, 4);
      const long v = nearest(s * (16384 - 1000 * k), 16384) + 5;
      EXPECT_EQ((*y)[3 * q + static_cast<std::size_t>(k)], std::clamp(v, -128L, 127L));
    }
}

TEST(NpuSimulate, floats_become_codes_by_the_input_buffer) {
  const NpuProgram p = small_program();
  const Tensor x = Tensor::of<float>({4}, std::vector<float>{0.0f, 0.75f, 1.25f, 500.0f});
  NpuBuffer b = p.buffers[0];
  b.shape = b.mem_shape = {4};
  const auto codes = input_codes(b, x, "test");
  ASSERT_TRUE(codes.ok());
  EXPECT_EQ(codes->code(0), 0);
  EXPECT_EQ(codes->code(1), 2);  // 1.5 and 2.5 steps: ties to even
  EXPECT_EQ(codes->code(2), 2);
  EXPECT_EQ(codes->code(3), 255);
}

}  // namespace
}  // namespace lockstep
