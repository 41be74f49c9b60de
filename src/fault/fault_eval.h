#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "fault/fault.h"

namespace lockstep {

// What a fault may put in place of the reference's policies while one node is evaluated. Each gets
// the reference's own answer as a call that it may make, change or leave out; unset: the
// reference's.
struct Detours {
  // Unclamped result without zero point, from the exact accumulator.
  using Requant =
      std::function<std::int32_t(std::int32_t acc, const Rescale& scale, const RequantPolicy& own)>;
  // Clamped code, from two codes.
  using Binary = std::function<std::int32_t(std::int32_t a, std::int32_t b,
                                            const BinaryState& state, const BinaryPolicy& own)>;
  Requant requant;
  Binary binary;
};

// A node of the reference with something changed - attributes, quantization of inputs or outputs,
// contents of inputs, policies - computed by the operator's own meaning in the reference's own
// arithmetic: what a device with that one defect yields.
class ChangedNode {
 public:
  explicit ChangedNode(const Replay& r);
  ChangedNode(const Site& site, std::span<const Tensor* const> in);

  Attrs& attrs() { return node_.attrs; }
  const Attrs& attrs() const { return node_.attrs; }
  std::size_t input_count() const { return in_.size(); }
  bool has_input(std::size_t i) const { return i < in_.size() && in_[i].value; }
  Value& input(std::size_t i) { return *in_[i].value; }
  Value& output(std::size_t i = 0) { return out_[i]; }
  // The contents of input i, to be read, or changed: then a copy that only this node sees.
  const Tensor& contents(std::size_t i) const {
    return in_[i].changed ? *in_[i].changed : *in_[i].given;
  }
  Tensor& changed(std::size_t i);
  void set_contents(std::size_t i, Tensor tensor);  // its shape becomes the input's
  void remove_input(std::size_t i) { in_[i] = {}; }
  Detours& detours() { return detours_; }
  Numerics& numerics() { return numerics_; }

  Result<std::vector<Tensor>> eval() const;
  // Evaluates into r.out, whose types and shapes must still hold.
  Result<void> eval_into(Replay& r) const;

 private:
  struct Input {
    std::unique_ptr<Value> value;  // null where absent
    const Tensor* given = nullptr;
    std::unique_ptr<Tensor> changed;
  };
  Node node_;
  std::string file_, format_;
  std::vector<Input> in_;
  std::vector<Value> out_;
  Numerics numerics_;
  Detours detours_;
};

// The node with every accumulator as `stored` leaves it, scaled and rounded as the reference does.
Result<void> replay_stored(Replay& r, std::function<std::int32_t(std::int32_t acc)> stored);

}  // namespace lockstep
