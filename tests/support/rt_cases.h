#pragma once

#include <span>
#include <string_view>

#include "support/kernel_case.h"

namespace lockstep::test {

// Seeded problems of one node for the kernels of generated C: those of the PC's kernels and what
// these do not compute.
struct RtSource {
  std::string_view name;
  std::optional<KernelCase> (*make)(CaseMaker& m);
  int weight = 1;  // problems of it for each of the others
};
std::span<const RtSource> rt_sources();

// The problems side by side in one graph; tensors of problem i carry "p<i>_" before their names.
Result<Graph> side_by_side(std::span<const KernelCase> problems);

}  // namespace lockstep::test
