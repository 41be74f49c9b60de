#include "fault/fault_eval.h"

#include "base/text.h"
#include "fault/fault_work.h"
#include "kernel/kernel_dnnl.h"
#include "op/op.h"
#include "run/node_kernels.h"

namespace lockstep {
namespace {

// A policy is a plain function, a detour needs what it closes over: set while a node is evaluated.
struct Active {
  const Detours* detours = nullptr;
  const Numerics* own = nullptr;
};
thread_local Active active;

template <const RequantPolicy* Numerics::*member>
constexpr RequantPolicy requant_detour = {
    "detour",
    [](double x, double w, double y) { return (active.own->*member)->prepare(x, w, y); },
    [](std::int32_t acc, const Rescale& scale) {
      return active.detours->requant(acc, scale, *(active.own->*member));
    },
    [](std::int64_t acc, const Rescale& scale) {
      return (active.own->*member)->apply_wide(acc, scale);
    },
};

template <const BinaryPolicy* Numerics::*member>
constexpr BinaryPolicy binary_detour = {
    "detour",
    [](const BinaryScales& scales) { return (active.own->*member)->prepare(scales); },
    [](std::int32_t a, std::int32_t b, const BinaryState& state) {
      return active.detours->binary(a, b, state, *(active.own->*member));
    },
};

Numerics detoured(const Numerics& own, const Detours& detours) {
  Numerics n = own;
  if (detours.requant) {
    if (n.conv) n.conv = &requant_detour<&Numerics::conv>;
    if (n.conv_unsigned) n.conv_unsigned = &requant_detour<&Numerics::conv_unsigned>;
    if (n.dense) n.dense = &requant_detour<&Numerics::dense>;
    if (n.matmul) n.matmul = &requant_detour<&Numerics::matmul>;
  }
  if (detours.binary) {
    if (n.add) n.add = &binary_detour<&Numerics::add>;
    if (n.sub) n.sub = &binary_detour<&Numerics::sub>;
    if (n.mul) n.mul = &binary_detour<&Numerics::mul>;
    if (n.div) n.div = &binary_detour<&Numerics::div>;
  }
  return n;
}

// A change that moves the output's shape is no fault of numbers: evaluation would leave the buffer.
Result<void> check_shapes(const NodeView& n) {
  LOCKSTEP_TRY(const auto facts, find_op(n.node.op)->infer(n));
  for (std::size_t i = 0; i < facts.size() && i < n.node.outputs.size(); ++i)
    if (n.node.outputs[i] != no_id && facts[i].shape != n.output(i).shape)
      return Error{n.where(),
                   "the fault would make an output of shape " + shape_text(facts[i].shape),
                   shape_text(n.output(i).shape), ""};
  return {};
}

// Worth making a kernel ready, or computed as the reference's kernel orders its sums (N6).
bool wants_kernel(const NodeView& n, const Numerics& num) {
  const OpDef* op = find_op(n.node.op);
  return op->cost && op->cost(n).macs >= (sums_in_any_order(num) ? dnnl_least_products : 500000);
}

}  // namespace

ChangedNode::ChangedNode(const Replay& r) : ChangedNode(r.site, r.in) {}

ChangedNode::ChangedNode(const Site& site, std::span<const Tensor* const> in)
    : node_(site.graph().node(site.node)),
      file_(site.graph().file()),
      format_(site.graph().format()),
      numerics_(*site.reference.arithmetic().numerics) {
  const Graph& g = site.graph();
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
    Input& input = in_.emplace_back();
    if (node_.inputs[i] == no_id) continue;
    const Value& value = g.value(node_.inputs[i]);
    input.given = i < in.size() && in[i] ? in[i] : value.constant.get();
    if (input.given) input.value = std::make_unique<Value>(value);
  }
  for (const ValueId id : node_.outputs) out_.push_back(id == no_id ? Value{} : g.value(id));
}

Tensor& ChangedNode::changed(std::size_t i) {
  Input& input = in_[i];
  if (!input.changed) input.changed = std::make_unique<Tensor>(*input.given);
  return *input.changed;
}

void ChangedNode::set_contents(std::size_t i, Tensor tensor) {
  in_[i].value->shape = tensor.shape();
  in_[i].value->dtype = tensor.dtype();
  in_[i].changed = std::make_unique<Tensor>(std::move(tensor));
}

Result<std::vector<Tensor>> ChangedNode::eval() const {
  GraphBuilder builder(file_, format_);
  Node node = node_;
  node.inputs.clear();
  node.outputs.clear();
  std::vector<const Tensor*> in;
  for (std::size_t i = 0; i < in_.size(); ++i) {
    in.push_back(in_[i].value ? &contents(i) : nullptr);
    if (!in_[i].value) {
      node.inputs.push_back(no_id);
      continue;
    }
    Value value = *in_[i].value;
    value.name = "in" + std::to_string(i);
    value.producer = no_id;
    if (value.constant && in_[i].changed)
      value.constant = std::make_shared<const Tensor>(*in_[i].changed);
    node.inputs.push_back(builder.add_value(std::move(value)));
  }
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < out_.size(); ++i) {
    if (node_.outputs[i] == no_id) {
      node.outputs.push_back(no_id);
      out.emplace_back();
      continue;
    }
    Value value = out_[i];
    value.name = "out" + std::to_string(i);
    out.emplace_back(value.dtype, value.shape);
    node.outputs.push_back(builder.add_value(std::move(value)));
  }
  const NodeId id = builder.add_node(std::move(node));
  const NodeView view{builder.so_far(), builder.so_far().node(id)};
  LOCKSTEP_CHECK(check_shapes(view));
  const Numerics numerics = detoured(numerics_, detours_);
  const bool by_kernel =
      !detours_.requant && !detours_.binary && out.size() == 1 && wants_kernel(view, numerics);
  const bool fast = by_kernel && !numerics.product && !is_float(view.output(0).dtype);
  if (!spend(node_work(view, fast ? products_by_kernel : 1)))
    return Error{view.where(), "more work than a proposal may do", "a smaller layer", ""};
  if (by_kernel && NodeKernels(builder.so_far(), numerics).run(id, in, out)) return out;
  EvalContext context{view, numerics, in, out};
  const Active outer = active;
  active = {&detours_, &numerics_};
  Result<void> status = find_op(node_.op)->eval(context);
  active = outer;
  LOCKSTEP_CHECK(std::move(status));
  return out;
}

Result<void> ChangedNode::eval_into(Replay& r) const {
  LOCKSTEP_TRY(std::vector<Tensor> out, eval());
  for (std::size_t i = 0; i < out.size() && i < r.out.size(); ++i) r.out[i] = std::move(out[i]);
  return {};
}

Result<void> replay_stored(Replay& r, std::function<std::int32_t(std::int32_t acc)> stored) {
  ChangedNode node(r);
  node.detours().requant = [stored = std::move(stored)](std::int32_t acc, const Rescale& scale,
                                                        const RequantPolicy& own) {
    return own.apply(stored(acc), scale);
  };
  return node.eval_into(r);
}

}  // namespace lockstep
