#include "run/node_kernels.h"

#include <algorithm>
#include <cstring>

#include "run/own_pads.h"

namespace lockstep {
namespace {

struct Axes {
  std::int64_t batch, channels, positions;
};
Axes axes_of(const Shape& s) {
  return {s[0], s[1], count_of(s) / std::max<std::int64_t>(1, s[0] * s[1])};
}

// Bytes aligned to 64 with the slack that kernels may read.
class Room {
 public:
  explicit Room(std::size_t bytes) : bytes_(bytes + kernel_slack + 64) {}
  std::byte* data() {
    return bytes_.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes_.data()) % 64) % 64;
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

bool moves_channels(const Kernel& kernel, const NodeView& node) {
  constexpr std::string_view without_channels[] = {"GRU", "Gemm",         "LSTM", "MatMul",
                                                   "RNN", "SequenceLstm", "Svdf"};
  return kernel.order == Order::channels_last &&
         std::ranges::find(without_channels, node.node.op) == std::end(without_channels) &&
         node.attrs().text("layout", "NCHW") != "NHWC";
}

void run_kernel(const Kernel& kernel, const PreparedKernel& prepared, const NodeView& view,
                std::span<const Tensor* const> constants, std::span<const Tensor* const> in,
                std::span<Tensor> out) {
  const bool moves = moves_channels(kernel, view);
  const bool inward = moves && view.input(0).shape.size() > 2;
  const bool outward = moves && out[0].shape().size() > 2;
  std::vector<Room> rooms;
  std::vector<const std::byte*> from;
  for (std::size_t i = 0; i < in.size(); ++i) {
    from.push_back(nullptr);
    if (!in[i] || constants[i]) continue;
    const std::span<const std::byte> bytes = in[i]->bytes();
    Room& room = rooms.emplace_back(bytes.size());
    if (inward && in[i]->shape().size() > 2) {
      const Axes a = axes_of(in[i]->shape());
      move_channels_last(bytes.data(), room.data(), a.batch, a.channels, a.positions,
                         size_of(in[i]->dtype()));
    } else if (!bytes.empty()) {
      std::memcpy(room.data(), bytes.data(), bytes.size());
    }
    from.back() = room.data();
  }
  Room result(out[0].bytes().size());
  std::vector<std::byte*> to;
  for (std::size_t i = 0; i < out.size(); ++i)
    to.push_back(view.node.outputs[i] == no_id ? nullptr : out[i].bytes().data());
  if (outward) to[0] = result.data();
  Room scratch(prepared.scratch_bytes(1));
  Workers alone(1);
  prepared.run({from.data(), to.data(), scratch.data(), alone});
  if (!outward) return;
  const Axes a = axes_of(out[0].shape());
  move_channels_last(to[0], out[0].bytes().data(), a.batch, a.positions, a.channels,
                     size_of(out[0].dtype()));
}

NodeKernels::NodeKernels(const Graph& graph, const Numerics& num)
    : graph_(graph), num_(num), slots_(graph.nodes().size()), padded_(graph.nodes().size()) {}

std::vector<const Tensor*> NodeKernels::inputs_of(const Node& node) const {
  std::vector<const Tensor*> constant;
  for (const ValueId v : node.inputs)
    constant.push_back(v == no_id ? nullptr : constants()[static_cast<std::size_t>(v)]);
  return constant;
}

std::span<const Tensor* const> NodeKernels::constants() const {
  std::call_once(folded_once_, [this] { fold(); });
  return constants_;
}

// A node of constants alone; weights are dequantized by the kernel, as if they came with a run.
Result<std::vector<Tensor>> NodeKernels::evaluate(const Node& node,
                                                  std::span<const Tensor* const> in) const {
  std::vector<Tensor> out;
  for (const ValueId v : node.outputs)
    out.push_back(v == no_id ? Tensor() : Tensor(graph_.value(v).dtype, graph_.value(v).shape));
  const NodeView view{graph_, node};
  if (node.op == "DequantizeLinear") {
    std::vector<const Tensor*> constant(in.begin(), in.end());
    constant[0] = nullptr;
    const KernelProblem problem{view, num_, constant};
    if (const Kernel* const kernel = pick_kernel(problem)) {
      run_kernel(*kernel, *kernel->prepare(problem), view, constant, in, out);
      return out;
    }
  }
  EvalContext context{view, num_, in, out};
  LOCKSTEP_CHECK(find_op(node.op)->eval(context));
  return out;
}

Result<void> NodeKernels::fold_node(const Node& node) const {
  std::vector<const Tensor*> in;
  for (const ValueId v : node.inputs)
    in.push_back(v == no_id ? nullptr : constants_[static_cast<std::size_t>(v)]);
  LOCKSTEP_TRY(std::vector<Tensor> out, evaluate(node, in));
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (node.outputs[i] == no_id) continue;
    folded_.push_back(std::make_unique<const Tensor>(std::move(out[i])));
    constants_[static_cast<std::size_t>(node.outputs[i])] = folded_.back().get();
  }
  return {};
}

// Weights that a network dequantizes only for their name's sake are left until somebody asks.
void NodeKernels::fold() const {
  const auto values = graph_.values();
  const auto nodes = graph_.nodes();
  constants_.assign(values.size(), nullptr);
  follows_.assign(values.size(), 0);
  for (std::size_t v = 0; v < values.size(); ++v) {
    constants_[v] = values[v].constant.get();
    follows_[v] = constants_[v] != nullptr;
  }
  std::vector<char> read(values.size(), 0);
  for (const ValueId v : graph_.outputs()) read[static_cast<std::size_t>(v)] = 1;
  for (const State& s : graph_.states()) read[static_cast<std::size_t>(s.out)] = 1;
  const auto whole = [&](const Node& node) {
    return !node.inputs.empty() && std::ranges::all_of(node.inputs, [&](ValueId v) {
      return v == no_id || follows_[static_cast<std::size_t>(v)];
    });
  };
  for (const Node& node : nodes)
    if (whole(node))
      for (const ValueId v : node.outputs)
        if (v != no_id) follows_[static_cast<std::size_t>(v)] = 1;
  for (std::size_t n = nodes.size(); n-- > 0;)
    if (std::ranges::any_of(nodes[n].outputs, [&](ValueId v) {
          return v != no_id && read[static_cast<std::size_t>(v)];
        }))
      for (const ValueId v : nodes[n].inputs)
        if (v != no_id) read[static_cast<std::size_t>(v)] = 1;
  for (const Node& node : nodes)
    if (whole(node) && std::ranges::any_of(node.outputs, [&](ValueId v) {
          return v != no_id && read[static_cast<std::size_t>(v)];
        }))
      (void)fold_node(node);  // whoever runs the node reports why not
}

bool NodeKernels::follows_from_constants(ValueId id) const {
  std::call_once(folded_once_, [this] { fold(); });
  return follows_[static_cast<std::size_t>(id)];
}

Result<Tensor> NodeKernels::folded(ValueId id) const {
  if (const Tensor* const known = constants()[static_cast<std::size_t>(id)]) return *known;
  const Node& node = graph_.node(graph_.value(id).producer);
  std::vector<Tensor> made(node.inputs.size());
  std::vector<const Tensor*> in;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == no_id) {
      in.push_back(nullptr);
      continue;
    }
    in.push_back(constants()[static_cast<std::size_t>(node.inputs[i])]);
    if (in.back()) continue;
    LOCKSTEP_TRY(made[i], folded(node.inputs[i]));
    in.back() = &made[i];
  }
  LOCKSTEP_TRY(std::vector<Tensor> out, evaluate(node, in));
  return std::move(
      out[static_cast<std::size_t>(std::ranges::find(node.outputs, id) - node.outputs.begin())]);
}

NodeKernels::Slot& NodeKernels::slot(NodeId node) const {
  Slot& s = slots_[static_cast<std::size_t>(node)];
  std::call_once(s.once, [&] {
    const NodeView view{graph_, graph_.node(node)};
    const auto constants = inputs_of(view.node);
    const KernelProblem problem{view, num_, constants};
    s.kernel = pick_kernel(problem);
    if (s.kernel) s.prepared = s.kernel->prepare(problem);
  });
  return s;
}

const Kernel* NodeKernels::kernel(NodeId node) const {
  return slot(node).kernel;
}
const PreparedKernel* NodeKernels::prepared(NodeId node) const {
  return slot(node).prepared.get();
}

const NodeKernels::Padded* NodeKernels::padded(NodeId node) const {
  PaddedSlot& s = padded_[static_cast<std::size_t>(node)];
  std::call_once(s.once, [&] {
    auto merged = with_own_pads(graph_, num_, node, constants());
    if (!merged) return;
    auto made = std::make_unique<Padded>();
    made->node = std::move(*merged);
    const auto in = inputs_of(made->node);
    const KernelProblem problem{{graph_, made->node}, num_, in};
    made->kernel = pick_kernel(problem);
    if (!made->kernel) return;
    made->prepared = made->kernel->prepare(problem);
    s.made = std::move(made);
  });
  return s.made.get();
}

bool NodeKernels::run(NodeId node, std::span<const Tensor* const> in, std::span<Tensor> out) const {
  const Slot& s = slot(node);
  if (!s.kernel) return false;
  const NodeView view{graph_, graph_.node(node)};
  auto constants = inputs_of(view.node);
  bool own = true;
  for (std::size_t i = 0; i < constants.size(); ++i)
    if (constants[i] && i < in.size() && in[i] != constants[i] &&
        (!in[i] || !(*in[i] == *constants[i]))) {
      constants[i] = in[i];
      own = false;
    }
  if (own) {
    run_kernel(*s.kernel, *s.prepared, view, constants, in, out);
    return true;
  }
  const KernelProblem problem{view, num_, constants};
  const Kernel* const kernel = pick_kernel(problem);
  if (!kernel) return false;
  run_kernel(*kernel, *kernel->prepare(problem), view, constants, in, out);
  return true;
}

}  // namespace lockstep
