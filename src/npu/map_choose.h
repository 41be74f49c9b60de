#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "npu/program.h"

namespace lockstep {

// Tells apart tensors of one scale and shape. The compiler numbers its nodes in the order of the
// model
// ("Conv2D_16", "Add_43"), and every convolution keeps its number in the name of its weights: a
// buffer lies between the two convolutions whose numbers enclose its own.
class NpuTensorChooser {
 public:
  NpuTensorChooser(const NpuProgram& program, const std::vector<const NpuBuffer*>& buffers,
                   const Graph& model);

  // One of `all`, none of them null; `how` says what decided. `sources`: what the buffer's epoch
  // reads, as far as it is known; the nearest descendant counts. The last word has the order of the
  // compiler's numbers among the buffers of one kind, scale and size.
  const Value* choose(const NpuBuffer& b, std::string_view stem, std::vector<const Value*> all,
                      const std::vector<ValueId>& sources, std::string& how) const;

 private:
  int distance(const Value& v, const std::vector<ValueId>& sources) const;
  std::size_t position(const Value& v) const;
  std::size_t rank(const NpuBuffer& b, std::string_view stem) const;
  std::string_view operation(const Value& v) const;

  const Graph& model_;
  std::map<std::int64_t, std::size_t> layers_;  // compiler's number, position of the model's node
  std::map<std::string, std::vector<std::int64_t>>
      groups_;  // numbers of one kind, scale and size, sorted
};

}  // namespace lockstep
