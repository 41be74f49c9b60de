#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "arith/arith.h"
#include "base/random.h"
#include "npu/record.h"
#include "run/executor.h"

namespace lockstep::test {

// Codes of every tensor that differ between the arithmetic and the simulated program.
inline std::int64_t differences(const Graph& g, NpuProgram program, std::int64_t& compared) {
  const auto executor = Executor::make(g, *find_arithmetic("neural-art"));
  EXPECT_TRUE(executor.ok()) << (executor.ok() ? "" : executor.error().line());
  Random random(5);
  Tensor x(DType::i8, g.value(g.inputs()[0]).shape);
  for (std::int64_t i = 0; i < x.count(); ++i) x.set_code(i, random.between(-128, 127));
  const std::vector<Sample> inputs = {{{g.value(g.inputs()[0]).name, x}}};
  const auto predicted = executor->run(inputs);
  EXPECT_TRUE(predicted.ok());
  const NpuMapping mapping = map_npu_buffers(program, g);
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(program)));
  EXPECT_TRUE(sim.ok()) << (sim.ok() ? "" : sim.error().line());
  const auto simulated = record_npu(*sim, g, mapping, predicted->samples, NpuMode::chained, {});
  EXPECT_TRUE(simulated.ok()) << (simulated.ok() ? "" : simulated.error().line());
  std::int64_t differ = 0;
  for (const auto& [name, t] : predicted->samples[0]) {
    const auto it = simulated->samples[0].find(name);
    if (it == simulated->samples[0].end()) continue;
    for (std::int64_t i = 0; i < t.count(); ++i, ++compared)
      differ += t.code(i) != it->second.code(i);
  }
  return differ;
}

}  // namespace lockstep::test
