// Which float operators run on channels in blocks of sixteen, where sums go another way (N36, N45).
#include <algorithm>

#include "pass/qdq.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

// Values that the runtime holds on blocked channels: convolutions and pools make them, what maps
// element by element keeps them so.
class BlockedValues {
 public:
  BlockedValues(const Graph& g, const Uses& uses)
      : g_(g), uses_(uses), blocked_(g.values().size(), false) {
    for (const Node& n : g.nodes())
      if (n.outputs.size() == 1 && n.outputs[0] != no_id)
        blocked_[index(n.outputs[0])] = makes_blocks(n);
  }
  bool holds(ValueId v) const { return v != no_id && blocked_[index(v)]; }

 private:
  static std::size_t index(ValueId v) { return static_cast<std::size_t>(v); }
  bool whole_blocks(ValueId v) const {
    return g_.value(v).shape.size() == 4 && g_.value(v).shape[1] % 16 == 0;
  }

  bool makes_blocks(const Node& n) const {
    const ValueId x = n.inputs.empty() ? no_id : n.inputs[0];
    if (x == no_id || g_.value(n.outputs[0]).dtype != DType::f32 ||
        g_.value(n.outputs[0]).shape.size() != 4)
      return false;
    if (n.op == "Conv") return n.attrs.text("kernel", "") == "blocked";
    if (n.op == "MaxPool" || n.op == "AveragePool") return whole_blocks(x);
    if (n.op == "GlobalAveragePool" || n.op == "GlobalMaxPool") return whole_blocks(x) && holds(x);
    if (n.op == "Relu" || n.op == "Sigmoid" || n.op == "Tanh") return holds(x);
    if (n.op == "LeakyRelu" || n.op == "Clip" ||
        n.op == "HardSigmoid") {  // only as part of the convolution before
      const NodeId before = g_.value(x).producer;
      return before != no_id && g_.node(before).op == "Conv" && uses_.only_reader(x) && holds(x);
    }
    if (n.op == "Add" || n.op == "Mul" || n.op == "Sum")
      return n.inputs.size() == 2 && g_.value(x).shape == g_.value(n.inputs[1]).shape && holds(x) &&
             holds(n.inputs[1]);
    return n.op == "Concat" && n.attrs.integer("axis", 0) == 1 &&
           std::ranges::all_of(n.inputs, [&](ValueId in) { return whole_blocks(in) && holds(in); });
  }

  const Graph& g_;
  const Uses& uses_;
  std::vector<bool> blocked_;
};

}  // namespace

// N36: which float convolutions run on blocked channels.
Result<Patch> block_float_convolutions(const Graph& g) {
  Patch patch(g, "block-float-convolutions");
  for (std::size_t i = 0; i < g.nodes().size(); ++i) {
    const Node& n = g.nodes()[i];
    if (n.op != "Conv" || n.attrs.has("kernel")) continue;
    const Value& w = g.value(n.inputs[1]);
    if (!w.constant || w.folded || w.dtype != DType::f32 || w.shape.size() != 4 ||
        n.attrs.text("layout", "NCHW") != "NCHW")
      continue;
    const std::int64_t group = n.attrs.integer("group", 1), out = w.shape[0], in = w.shape[1];
    const bool depthwise = group > 1 && in == 1 && out == group;
    if (depthwise   ? out % 4 != 0
        : group > 1 ? in % 16 != 0 || out / group % 16 != 0
                    : in >= 16 && in % 4 != 0)
      continue;
    Node next = n;
    next.attrs.set("kernel", std::string("blocked"));
    patch.replace_node(static_cast<NodeId>(i), std::move(next));
  }
  return patch;
}

// N45: which float average pools run on blocked channels; a global one only where its input already
// does.
Result<Patch> block_float_pools(const Graph& g) {
  Patch patch(g, "block-float-pools");
  const Uses uses(g);
  const BlockedValues blocked(g, uses);
  for (std::size_t i = 0; i < g.nodes().size(); ++i) {
    const Node& n = g.nodes()[i];
    if ((n.op != "AveragePool" && n.op != "GlobalAveragePool") || n.attrs.has("kernel")) continue;
    const Value& x = g.value(n.inputs[0]);
    if (x.dtype != DType::f32 || x.shape.size() != 4 || x.shape[1] % 16 != 0 ||
        n.attrs.text("layout", "NCHW") != "NCHW")
      continue;
    if (n.op == "GlobalAveragePool" && !blocked.holds(n.inputs[0])) continue;
    Node next = n;
    next.attrs.set("kernel", std::string("blocked"));
    patch.replace_node(static_cast<NodeId>(i), std::move(next));
  }
  return patch;
}

}  // namespace lockstep
