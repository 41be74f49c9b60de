#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "npu/audit.h"
#include "npu/lower.h"

namespace lockstep::test {

inline NpuProgram lowered(const Graph& g) {
  auto p = lower_to_npu(g, "net.program.json");
  EXPECT_TRUE(p.ok()) << (p.ok() ? "" : p.error().line());
  return p.ok() ? std::move(p).value() : NpuProgram{};
}

inline std::vector<NpuFinding> errors_in(const NpuProgram& p, const Graph& g) {
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
  EXPECT_TRUE(sim.ok()) << (sim.ok() ? "" : sim.error().line());
  auto found = sim.ok() ? audit_npu(*sim, &g) : Result<std::vector<NpuFinding>>(sim.error());
  EXPECT_TRUE(found.ok());
  if (!found.ok()) return {};
  std::erase_if(*found, [](const NpuFinding& f) { return f.severity != NpuSeverity::error; });
  return std::move(found).value();
}

// The rules of the audit's errors, in its order.
inline std::vector<std::string> errors_of(const NpuProgram& p, const Graph& g) {
  std::vector<std::string> rules;
  for (const NpuFinding& f : errors_in(p, g)) rules.push_back(f.rule);
  return rules;
}

}  // namespace lockstep::test
