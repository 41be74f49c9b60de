#pragma once

#include <memory>

#include "kernel/kernel_dot_driver.h"

namespace lockstep {

// sum[r][o] = start[o] + sum_k x[r][k] * w[o][k] of signed bytes, by the tiles of an ISA.
class RowSums {
 public:
  // w: [start.size()][depth].
  RowSums(const DotSet& set, std::int64_t rows, std::int64_t depth, std::vector<std::int32_t> start,
          std::span<const std::int8_t> w);

  std::size_t scratch_bytes() const;  // to whole vectors
  std::size_t resident_bytes() const { return driver_.layout().packed_bytes; }
  // Behind x stand `kernel_slack` bytes.
  void run(const std::byte* x, std::int32_t* sum, std::byte* scratch, Workers& workers) const;

 private:
  const DotDriver driver_;
  std::int64_t work_ = 0;  // products
};

}  // namespace lockstep
