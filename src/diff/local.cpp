#include "diff/local.h"

#include <algorithm>

namespace lockstep {
namespace {

const Tensor* find(const Sample& sample, const std::string& name) {
  const auto it = sample.find(name);
  return it == sample.end() ? nullptr : &it->second;
}

const State* state_read_by(const Graph& g, ValueId id) {
  for (const State& s : g.states())
    if (s.in == id) return &s;
  return nullptr;
}

}  // namespace

LocalTest::LocalTest(const Executor& reference, const Recorded& recorded)
    : reference_(reference), recorded_(recorded) {
  const Graph& g = reference_.graph();
  varies_.assign(g.values().size(), false);
  for (std::size_t v = 0; v < varies_.size(); ++v)
    varies_[v] = !g.values()[v].constant && g.values()[v].producer == no_id;
  for (const Node& node : g.nodes())
    for (const ValueId in : node.inputs)
      if (in != no_id && varies_[static_cast<std::size_t>(in)])
        for (const ValueId out : node.outputs)
          if (out != no_id) varies_[static_cast<std::size_t>(out)] = true;
}

bool LocalTest::is_fixed(ValueId id) const {
  const Value& v = reference_.graph().value(id);
  return !varies_[static_cast<std::size_t>(id)] && !v.constant && v.producer != no_id;
}

const Tensor* LocalTest::fixed(ValueId id) const {
  const std::lock_guard lock(mutex_);
  if (const auto it = fixed_.find(id); it != fixed_.end()) return &it->second;
  const std::string& name = reference_.graph().value(id).name;
  const std::string wanted[] = {name};
  auto made = reference_.run_from({}, wanted);
  if (!made.ok()) return nullptr;  // then the recomputation refuses, with the reason
  return &fixed_.emplace(id, std::move(made->at(name))).first->second;
}

const Tensor* LocalTest::device(ValueId id, std::size_t sample) const {
  return find(recorded_.device[sample], reference_.graph().value(id).name);
}

const Tensor* LocalTest::given(ValueId id, std::size_t sample) const {
  const Graph& g = reference_.graph();
  if (is_fixed(id)) return fixed(id);
  const Tensor* captured = device(id, sample);
  if (captured && captured->dtype() == g.value(id).dtype &&
      captured->count() == count_of(g.value(id).shape))
    return captured;
  if (std::ranges::count(g.inputs(), id))
    return sample < recorded_.sent.size() ? find(recorded_.sent[sample], g.value(id).name)
                                          : nullptr;
  const State* state = state_read_by(g, id);
  if (!state || recorded_.state == StateMode::reset || sample == 0) return nullptr;
  return device(state->out, sample - 1);
}

Cone LocalTest::cone(ValueId id, std::size_t sample) const {
  const Graph& g = reference_.graph();
  Cone cone;
  std::vector<bool> node_seen(g.nodes().size(), false), value_seen(g.values().size(), false);
  std::vector<ValueId> open = {id};
  while (!open.empty()) {
    const ValueId v = open.back();
    open.pop_back();
    const Value& value = g.value(v);
    if (value_seen[static_cast<std::size_t>(v)] || value.constant) continue;
    value_seen[static_cast<std::size_t>(v)] = true;
    if (v != id && given(v, sample)) {
      cone.frontier.push_back(v);
    } else if (value.producer != no_id) {
      node_seen[static_cast<std::size_t>(value.producer)] = true;
      for (const ValueId in : g.node(value.producer).inputs)
        if (in != no_id) open.push_back(in);
    } else if (!state_read_by(g, v) || (recorded_.state == StateMode::keep && sample > 0)) {
      cone.known = false;  // an input that was not sent, or a state that was not captured
    }
  }
  for (std::size_t n = 0; n < node_seen.size(); ++n)
    if (node_seen[n]) cone.nodes.push_back(static_cast<NodeId>(n));
  return cone;
}

Result<Tensor> LocalTest::recompute(ValueId id, std::size_t sample, const RunOptions& options,
                                    const Sample& instead) const {
  const Graph& g = reference_.graph();
  const Cone c = cone(id, sample);
  const std::string& name = g.value(id).name;
  if (!c.known || c.nodes.empty())
    return Error{g.file(), "tensor '" + name + "' cannot be recomputed", "all that it is made from",
                 ""};
  if (c.nodes.size() == 1 && options.node_hooks.empty() && instead.empty()) {
    const Node& node = g.node(c.nodes[0]);
    std::vector<const Tensor*> in;
    bool complete = true;
    for (const ValueId v : node.inputs) {
      in.push_back(v == no_id            ? nullptr
                   : g.value(v).constant ? g.value(v).constant.get()
                                         : given(v, sample));
      complete = complete && (v == no_id || in.back());
    }
    if (complete) {
      LOCKSTEP_TRY(std::vector<Tensor> out, reference_.run_node(c.nodes[0], in));
      for (std::size_t i = 0; i < out.size(); ++i)
        if (node.outputs[i] == id) return std::move(out[i]);
    }
  }
  Sample known = instead;
  for (const ValueId v : c.frontier) known.emplace(g.value(v).name, *given(v, sample));
  const std::string wanted[] = {name};
  LOCKSTEP_TRY(Sample made, reference_.run_from(known, wanted, options));
  return std::move(made.at(name));
}

Result<std::vector<Tensor>> LocalTest::inputs_of(NodeId id, std::size_t sample) const {
  const Graph& g = reference_.graph();
  std::vector<Tensor> in;
  for (const ValueId v : g.node(id).inputs) {
    if (v == no_id) {
      in.emplace_back();
    } else if (g.value(v).constant) {
      in.push_back(*g.value(v).constant);
    } else if (const Tensor* t = given(v, sample)) {
      in.push_back(*t);
    } else if (state_read_by(g, v) && (recorded_.state == StateMode::reset || sample == 0)) {
      const std::string wanted[] = {
          g.value(v).name};  // nothing ran before: the state is as the network starts
      LOCKSTEP_TRY(Sample start, reference_.run_from({}, wanted));
      in.push_back(std::move(start.at(wanted[0])));
    } else if (g.value(v).producer == no_id) {
      return Error{g.where(g.node(id)), "input '" + g.value(v).name + "' was not captured",
                   "it in the captures", ""};
    } else {
      LOCKSTEP_TRY(Tensor made, recompute(v, sample));
      in.push_back(std::move(made));
    }
  }
  return in;
}

}  // namespace lockstep
