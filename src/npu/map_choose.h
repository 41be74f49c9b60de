#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "npu/program.h"

namespace lockstep {

// Where a buffer comes from, as far as it is known.
struct NpuOrigin {
  std::vector<ValueId> sources;  // tensors that it is made of: the nearest descendant counts
  std::string buffer;            // what holds the first of them
  bool moved = false;            // one tensor, only moved or shifted to another zero point
  const std::set<const Value*>* claimed = nullptr;  // by buffers of other nodes
};

// Tells apart tensors of one scale and shape. The compiler numbers its nodes in the order of the
// model
// ("Conv2D_16", "Add_43"), and every convolution keeps its number in the name of its weights: a
// buffer lies between the two convolutions whose numbers enclose its own.
class NpuTensorChooser {
 public:
  NpuTensorChooser(const NpuProgram& program, const std::vector<const NpuBuffer*>& buffers,
                   const Graph& model);

  // A buffer whose tensor is certain: where several contradict the order of numbers, it is not
  // used.
  void learn(std::string_view stem, const Value& v);

  // One of `all`, none of them null; `how` says what decided.
  const Value* choose(const NpuBuffer& b, std::string_view stem, std::vector<const Value*> all,
                      const NpuOrigin& origin, std::string& how) const;

 private:
  int distance(const Value& v, const std::vector<ValueId>& sources) const;
  std::size_t position(const Value& v) const;
  std::size_t rank(const NpuBuffer& b, std::string_view stem) const;
  const Node* maker(const Value& v) const;
  std::string_view operation(const Value& v) const;
  bool ordered() const { return contradictions_ < 3 || contradictions_ * 10 < agreements_; }

  const Graph& model_;
  int agreements_ = 0, contradictions_ = 0;
  std::map<std::int64_t, std::size_t> layers_;  // compiler's number, position of the model's node
  std::map<std::string, std::vector<std::int64_t>>
      groups_;  // numbers of one kind, scale and size, sorted
};

}  // namespace lockstep
