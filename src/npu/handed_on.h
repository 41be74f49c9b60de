#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

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
  // One code of the tensor that a function of one operand is taken of, as codes of its result,
  // where no buffer holds that tensor; 0 elsewhere.
  double step_of_unheld(std::string_view value) const;

  using Made = std::map<std::pair<int, std::string>, Tensor>;

  // What the model's operation makes of b's tensor, in b's order, from the program's own codes
  // where those reach b's epoch so, and from the reference's elsewhere; nothing where none does.
  // An operation of two operands may take either for each, and a product others for the terms of
  // its zero points than for its own: all that follow. `made` is what the epochs made, by epoch and
  // buffer.
  std::vector<Tensor> remade(const NpuBuffer& b, const Made& made, const Sample& reference) const;
  // The codes of a tensor of the model as one of the epochs made them.
  std::optional<Tensor> made_in(const std::vector<int>& epochs, std::string_view value,
                                const Made& made) const;

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
  // z of the product n: m * (x * y - x0 * y' - y0 * x' + x0 * y0), each of x, y, x', y' the
  // program's or the reference's.
  void add_products(const Node& n, const Value& z, const Source& source, int hops,
                    std::vector<Tensor>& all) const;
  // Bit i of `from_reference`: operand i follows from the reference's codes alone.
  std::optional<Known> computed(ValueId id, const Source& source, int hops,
                                unsigned from_reference = 0) const;

  const NpuProgram& program_;
  const Graph& model_;
  const NpuMapping& mapping_;
  std::map<int, std::set<int>> from_;  // by epoch: those whose codes reach it, itself too
};

}  // namespace lockstep
