#include "plan/live.h"

#include <algorithm>

namespace lockstep {
namespace {

class Ranges {
 public:
  Ranges(const Graph& g, bool keep_inputs) : g_(g), end_(static_cast<int>(g.nodes().size())) {
    lives_.of_value.assign(g.values().size(), -1);
    lives_.scratch.assign(g.nodes().size(), -1);
    last_.assign(g.values().size(), -1);
    for (std::size_t n = 0; n < g.nodes().size(); ++n)
      for (const ValueId v : g.nodes()[n].inputs)
        if (v != no_id) last_[static_cast<std::size_t>(v)] = static_cast<int>(n);
    for (const ValueId v : g.outputs()) last_[static_cast<std::size_t>(v)] = end_;
    if (keep_inputs)
      for (const ValueId v : g.inputs()) last_[static_cast<std::size_t>(v)] = end_;
    for (const State& s : g.states())
      last_[static_cast<std::size_t>(s.in)] = last_[static_cast<std::size_t>(s.out)] = end_;
    for (const ValueId v : g.inputs()) add(v, 0);
    for (const State& s : g.states())
      if (lives_.of_value[static_cast<std::size_t>(s.in)] < 0) add(s.in, 0);
  }

  void node(std::size_t n, const NodeMemory& m) {
    const Node& node = g_.nodes()[n];
    const int step = static_cast<int>(n);
    for (std::size_t o = 0; o < node.outputs.size(); ++o)
      if (node.outputs[o] != no_id && !share(node, o, m, step)) add(node.outputs[o], step);
    if (m.scratch > 0) {
      lives_.scratch[n] = static_cast<int>(lives_.buffers.size());
      lives_.buffers.push_back({"scratch of " + node.name, m.scratch, step, step});
    }
  }

  Lives take() && { return std::move(lives_); }

 private:
  void add(ValueId v, int step) {
    const Value& value = g_.value(v);
    if (value.constant) return;
    lives_.of_value[static_cast<std::size_t>(v)] = static_cast<int>(lives_.buffers.size());
    lives_.buffers.push_back(
        {value.name, bytes_of(value), step, std::max(step, last_[static_cast<std::size_t>(v)])});
  }

  bool is_state(ValueId v) const {
    return std::ranges::any_of(g_.states(),
                               [&](const State& s) { return s.in == v || s.out == v; });
  }

  // Puts output `o` into the buffer of an input, where the node allows it.
  bool share(const Node& node, std::size_t o, const NodeMemory& m, int step) {
    const ValueId out = node.outputs[o];
    if (g_.value(out).constant || is_state(out)) return false;
    for (const NodeMemory::Share& s : m.shares) {
      if (s.output != o || s.input >= node.inputs.size() || node.inputs[s.input] == no_id) continue;
      const ValueId in = node.inputs[s.input];
      const int index = lives_.of_value[static_cast<std::size_t>(in)];
      if (index < 0 || is_state(in)) continue;
      Buffer& buffer = lives_.buffers[static_cast<std::size_t>(index)];
      if (!s.same && buffer.last > step) continue;
      if (s.slide > 0) {
        add(out, step);
        lives_.buffers.back().over = index;
        lives_.buffers.back().slide = s.slide;
        return true;
      }
      if (bytes_of(g_.value(out)) > buffer.bytes) continue;
      lives_.of_value[static_cast<std::size_t>(out)] = index;
      buffer.last = std::max(buffer.last, last_[static_cast<std::size_t>(out)]);
      buffer.name += " + " + g_.value(out).name;
      return true;
    }
    return false;
  }

  const Graph& g_;
  int end_;
  std::vector<int> last_;  // by value
  Lives lives_;
};

}  // namespace

std::int64_t bytes_of(const Value& value) {
  return count_of(value.shape) * static_cast<std::int64_t>(size_of(value.dtype));
}

Lives live_ranges(const Graph& graph, const std::function<NodeMemory(NodeId)>& memory,
                  bool keep_inputs) {
  Ranges ranges(graph, keep_inputs);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n)
    ranges.node(n, memory(static_cast<NodeId>(n)));
  return std::move(ranges).take();
}

}  // namespace lockstep
