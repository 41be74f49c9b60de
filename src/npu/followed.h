#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/graph.h"
#include "npu/map.h"
#include "npu/memory.h"

namespace lockstep {

// Follows the elements of one tensor through an epoch that only moves, a byte of their numbers at a
// time.
class NpuFollowed {
 public:
  NpuFollowed(const NpuProgram& program, const NpuMapping& map, NpuMemory memory);

  // Which element of the model's tensor, of which `from` holds all, lies at each element of `to` in
  // the order of its bytes; nothing when it is not known.
  std::optional<std::vector<std::int64_t>> through(const NpuEpoch& e, const NpuBuffer& from,
                                                   const NpuBuffer& to);

  // The mapped tensor that a software epoch reads whole.
  const NpuBuffer* read_by(const NpuEpoch& e);

 private:
  bool run(const NpuEpoch& e);

  const NpuProgram& program_;
  const NpuMapping& map_;
  NpuMemory memory_;
};

// Where each element of an output stands in the first operand, of an operation that only moves and
// whose other operands are constants: seen by moving their numbers.
std::optional<Tensor> moved_numbers(const NodeView& node, std::size_t output);

}  // namespace lockstep
