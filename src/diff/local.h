#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "diff/diff.h"

namespace lockstep {

// What a tensor is made from when only some tensors are captured: the nodes between it and the
// nearest captured ones, in execution order, and the names of those. What constants alone make is
// no part.
struct Cone {
  std::vector<NodeId> nodes;
  std::vector<ValueId> frontier;  // captured values, and network inputs that are only known as sent
  bool known = true;              // false: a state of the run before is needed and was not captured
};

// Recomputes tensors from the device's own. Keeps references to what it is given.
class LocalTest {
 public:
  LocalTest(const Executor& reference, const Recorded& recorded);

  const Executor& reference() const { return reference_; }
  std::size_t samples() const { return recorded_.device.size(); }
  // The device's tensor; null when not captured in this sample.
  const Tensor* device(ValueId id, std::size_t sample) const;
  // What stands at a value before the cone is run: what follows from constants alone (dequantized
  // weights: the reference's own, whatever was captured), captured (in the reference's type: reals
  // off its grid are compared, never computed with), as sent, or the state of the run before.
  const Tensor* given(ValueId id, std::size_t sample) const;
  // Whether the value depends on no input and no state, and is not a constant itself.
  bool is_fixed(ValueId id) const;
  Cone cone(ValueId id, std::size_t sample) const;
  // The value recomputed from the cone's frontier; `options` changes nodes inside the cone, tensors
  // in `instead` take the place of the frontier's.
  Result<Tensor> recompute(ValueId id, std::size_t sample, const RunOptions& options = {},
                           const Sample& instead = {}) const;
  // The inputs of `node` as the device had them, recomputed where not captured.
  Result<std::vector<Tensor>> inputs_of(NodeId node, std::size_t sample) const;

 private:
  const Tensor* fixed(ValueId id) const;
  const Executor& reference_;
  const Recorded& recorded_;
  std::vector<bool> varies_;  // by value: depends on an input or a state
  mutable std::mutex mutex_;
  mutable std::map<ValueId, Tensor> fixed_;  // made when first asked for
};

}  // namespace lockstep
