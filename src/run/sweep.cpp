#include "run/sweep.h"

#include "op/op.h"

namespace lockstep {
namespace {

std::vector<Tensor> allocate_outputs(const Graph& g, const Node& node) {
  std::vector<Tensor> out;
  for (const ValueId id : node.outputs)
    out.push_back(id == no_id ? Tensor() : Tensor(g.value(id).dtype, g.value(id).shape));
  return out;
}

}  // namespace

Result<std::vector<Tensor>> evaluate_node(const Graph& g, NodeId id, const Numerics& num,
                                          const NodeKernels& kernels,
                                          std::span<const Tensor* const> in) {
  const Node& node = g.node(id);
  std::vector<Tensor> out = allocate_outputs(g, node);
  if (kernels.run(id, in, out)) return out;
  EvalContext context{{g, node}, num, in, out};
  LOCKSTEP_CHECK(find_op(node.op)->eval(context));
  return out;
}

Sweep::Sweep(const Graph& g, const Arithmetic& a, const NodeKernels& k, const RunOptions& o)
    : g_(g), a_(a), k_(k), o_(o), slots_(g.values().size()), have_(g.values().size(), false) {}

const Tensor* Sweep::get(ValueId id) const {
  if (id == no_id) return nullptr;
  if (const Tensor* constant = g_.value(id).constant.get()) return constant;
  return have_[static_cast<std::size_t>(id)] ? &slots_[static_cast<std::size_t>(id)] : nullptr;
}

void Sweep::set(ValueId id, Tensor t) {
  slots_[static_cast<std::size_t>(id)] = std::move(t);
  have_[static_cast<std::size_t>(id)] = true;
}

std::vector<bool> Sweep::needed(std::span<const ValueId> goals,
                                std::span<const ValueId> given) const {
  std::vector<bool> run(g_.nodes().size(), false), have = have_;
  for (const ValueId v : given) have[static_cast<std::size_t>(v)] = true;
  std::vector<ValueId> open(goals.begin(), goals.end());
  while (!open.empty()) {
    const ValueId v = open.back();
    open.pop_back();
    if (v == no_id || have[static_cast<std::size_t>(v)] || g_.value(v).constant ||
        g_.value(v).producer == no_id)
      continue;
    const auto n = static_cast<std::size_t>(g_.value(v).producer);
    if (run[n]) continue;
    run[n] = true;
    for (const ValueId in : g_.nodes()[n].inputs) open.push_back(in);
  }
  return run;
}

Result<void> Sweep::run(const std::vector<bool>& which) {
  for (std::size_t n = 0; n < g_.nodes().size(); ++n)
    if (which[n]) LOCKSTEP_CHECK(run_node(n));
  return {};
}

Result<void> Sweep::run_node(std::size_t n) {
  const Node& node = g_.nodes()[n];
  std::vector<const Tensor*> in;
  for (const ValueId v : node.inputs) {
    in.push_back(get(v));
    if (v != no_id && !in.back())
      return Error{g_.where(node), "input '" + g_.value(v).name + "' has no contents",
                   "it among the given tensors, or all that it is made from", ""};
  }
  LOCKSTEP_TRY(std::vector<Tensor> out,
               evaluate_node(g_, static_cast<NodeId>(n), *a_.numerics, k_, in));
  LOCKSTEP_CHECK(apply_hooks(static_cast<NodeId>(n), in, out));
  for (std::size_t i = 0; i < out.size(); ++i)
    if (node.outputs[i] != no_id && !have_[static_cast<std::size_t>(node.outputs[i])])
      set(node.outputs[i], std::move(out[i]));
  return {};
}

Result<void> Sweep::apply_hooks(NodeId n, std::span<const Tensor* const> in,
                                std::vector<Tensor>& out) {
  for (const NodeHook& hook : o_.node_hooks) {
    if (hook.node != n) continue;
    std::vector<const Tensor*> seen(in.begin(), in.end());
    for (const ValueId v : hook.also) seen.push_back(get(v));
    LOCKSTEP_CHECK(hook.change(seen, out, {}));
  }
  return {};
}

}  // namespace lockstep
