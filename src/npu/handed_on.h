#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "npu/map.h"

namespace lockstep {

// Codes that reach an epoch as the program made them although every mapped tensor is replaced by
// the reference's: inside an epoch, or through memory that no tensor of the model names.
class NpuHandedOn {
 public:
  NpuHandedOn(const NpuProgram& program, const Graph& model, const NpuMapping& mapping);

  // Whether codes made in epoch `from` reach `to` so.
  bool reaches(int from, int to) const;
  bool makes(int epoch, std::string_view value) const;

  // What the operation that makes b's tensor gives on the program's own codes, in b's order, where
  // it takes one tensor that reaches b's epoch so; nothing elsewhere. `made` is what the epochs
  // made, by epoch and buffer.
  std::optional<Tensor> remade(const NpuBuffer& b,
                               const std::map<std::pair<int, std::string>, Tensor>& made) const;

 private:
  const NpuProgram& program_;
  const Graph& model_;
  const NpuMapping& mapping_;
  std::map<int, std::set<int>> from_;  // by epoch: those whose codes reach it, itself too
};

}  // namespace lockstep
