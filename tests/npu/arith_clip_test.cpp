// What compiled PRELUs take the negative part of their operand with.
#include <gtest/gtest.h>

#include "npu/flow.h"
#include "npu/registers.h"
#include "npu/simulate.h"
#include "npu/small_program.h"
#include "npu/unit_checks.h"

namespace lockstep {
namespace {

NpuArith clip_unit() {
  NpuArith a;
  a.operation = "ARITH_CLIP";
  a.scalar = 1, a.A_scalar = -128, a.C_scalar = 12;
  a.inbytes_x = a.outbytes_x = a.inbytes_y = a.outbytes_y = a.outbytes_o = 1;
  a.rounding_o = a.saturation_o = 1;
  a.bcast = "ARITH_BCAST_SCALAR";
  return a;
}

TEST(ArithClip, holds_codes_between_its_first_and_last_coefficient) {
  const NpuArith a = clip_unit();
  EXPECT_EQ(npu_unit_problem(a), "");
  const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(test::small_program()));
  ASSERT_TRUE(sim.ok());
  NpuFlow<std::int32_t> x;
  x.frames.push_back(std::make_shared<std::vector<std::int32_t>>(
      std::vector<std::int32_t>{-128, -5, 11, 12, 13, 127}));
  const auto y = run_arith<std::int32_t>(a, x, nullptr, sim->memory(), {}, "test");
  ASSERT_TRUE(y.ok()) << y.error().line();
  EXPECT_EQ(*y->joined(), (std::vector<std::int32_t>{-128, -5, 11, 12, 12, 12}));
}

TEST(ArithClip, with_shifts_or_tables_it_is_not_known) {
  NpuArith a = clip_unit();
  a.shift_o = 1;
  EXPECT_NE(npu_unit_problem(a), "");
  a = clip_unit();
  a.scalar = 0;
  EXPECT_NE(npu_unit_problem(a), "");
}

TEST(ArithClip, a_simulation_says_that_its_rule_is_inferred) {
  NpuProgram p = test::small_program();
  for (NpuUnit& u : p.epochs[0].units)
    if (u.name == "bias")
      u.fields = test::fields({{"inbytes_x", 2},
                               {"outbytes_x", 2},
                               {"outbytes_o", 1},
                               {"scalar", 1},
                               {"A_scalar", -128},
                               {"C_scalar", 12}},
                              {{"operation", "ARITH_CLIP"}, {"bcast", "ARITH_BCAST_SCALAR"}});
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(p)));
  ASSERT_TRUE(sim.ok()) << sim.error().line();
  const auto ran = sim->run({{"x", Tensor(DType::u8, {1, 2, 3, 4})}});
  ASSERT_TRUE(ran.ok()) << ran.error().line();
  ASSERT_EQ(sim->counts().inexact.size(), 1u);
  EXPECT_NE(sim->counts().inexact[0].find("clip between A and C by an inferred rule"),
            std::string::npos)
      << sim->counts().inexact[0];
}

}  // namespace
}  // namespace lockstep
