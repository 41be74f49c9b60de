#pragma once

#include <string>
#include <vector>

#include "link/device.h"

namespace lockstep {

// Milliseconds of every node or epoch, summed over the samples.
struct Times {
  std::size_t runs = 0;
  double whole = 0;
  std::vector<double> steps;
  std::vector<std::uint32_t> types;

  void add(const DeviceRun& run);
  // One line: the mean per inference and the longest nodes; of an NPU also what ran where.
  std::string text(bool npu) const;
};

}  // namespace lockstep
