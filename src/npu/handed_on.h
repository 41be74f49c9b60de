#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "npu/map.h"
#include "run/capture.h"

namespace lockstep {

// Codes that reach an epoch as the program made them although every mapped tensor is replaced by
// the reference's: inside an epoch, or through memory that no tensor of the model names.
class NpuHandedOn {
 public:
  NpuHandedOn(const NpuProgram& program, const Graph& model, const NpuMapping& mapping);

  // Whether codes made in epoch `from` reach `to` so.
  bool reaches(int from, int to) const;
  bool makes(int epoch, std::string_view value) const;
  // One code of the tensor that a function is taken of, as codes of its result, where no buffer
  // holds that tensor; 0 elsewhere.
  double step_of_unheld(std::string_view value) const;

  using Made = std::map<std::pair<int, std::string>, Tensor>;

  // What the model's operations make of b's tensor, in b's order, from the program's own codes
  // where those reach b's epoch so, and from the reference's elsewhere; nothing where none does.
  // `made` is what the epochs made, by epoch and buffer.
  std::optional<Tensor> remade(const NpuBuffer& b, const Made& made, const Sample& reference) const;

 private:
  struct Source {
    int epoch;
    const Made& made;
    const Sample& reference;
  };
  struct Known {
    Tensor tensor;
    bool own = false;  // from codes of the program
  };
  bool passes_on(ValueId id) const;
  std::optional<Known> known(ValueId id, const Source& source, int hops) const;
  std::optional<Known> computed(ValueId id, const Source& source, int hops) const;

  const NpuProgram& program_;
  const Graph& model_;
  const NpuMapping& mapping_;
  std::map<int, std::set<int>> from_;  // by epoch: those whose codes reach it, itself too
};

}  // namespace lockstep
