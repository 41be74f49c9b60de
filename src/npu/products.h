#pragma once

#include <optional>

#include "npu/simulate.h"

namespace lockstep {

// 16-bit codes that arithmetic units make of one tensor: factor * code + constant.
struct NpuAffine {
  const NpuBuffer* of = nullptr;
  double factor = 1, constant = 0;
};

// What a tensor of 16-bit products holds, followed back through the units and epochs that make it.
// Nothing where two tensors meet in it, or where a unit is not known to keep to the rule.
std::optional<NpuAffine> npu_product_of(const NpuSimulator& simulator, const NpuBuffer& product);

}  // namespace lockstep
