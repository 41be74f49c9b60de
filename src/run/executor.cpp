#include "run/executor.h"

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "op/op.h"
#include "pass/pass.h"
#include "run/node_kernels.h"
#include "run/session_cache.h"
#include "run/sweep.h"

namespace lockstep {
namespace {

Tensor initial_state(const Graph& g, const State& state) {
  if (state.initial) return *state.initial;
  const Value& v = g.value(state.in);
  Tensor zero(v.dtype, v.shape);
  if (v.quant.quantized())
    for (std::int64_t i = 0; i < zero.count(); ++i) zero.set_code(i, v.quant.zero_at(0));
  return zero;
}

TensorInfo info_of(const Value& v) { return {v.dtype, v.shape, v.quant, v.origin}; }

bool recordable(const Graph& g, ValueId id) {
  const Value& v = g.value(id);
  return v.producer != no_id || v.folded || std::ranges::count(g.inputs(), id) > 0 || !v.constant;
}

Result<std::vector<ValueId>> wanted_values(const Graph& g, std::span<const std::string> names) {
  std::vector<ValueId> ids;
  if (names.empty()) {
    for (std::size_t i = 0; i < g.values().size(); ++i)
      if (recordable(g, static_cast<ValueId>(i))) ids.push_back(static_cast<ValueId>(i));
    return ids;
  }
  for (const std::string& name : names) {
    const ValueId id = g.find_value(name);
    if (id == no_id)
      return Error{g.file(), "no tensor '" + name + "'", "a tensor of the lowered graph",
                   "lockstep inspect lists them"};
    ids.push_back(id);
  }
  return ids;
}

}  // namespace

Result<Executor> Executor::make(const Graph& imported, const Arithmetic& arithmetic) {
  LOCKSTEP_TRY(Graph lowered, apply_passes(imported, arithmetic.passes));
  for (const Node& node : lowered.nodes()) {
    const NodeView view{lowered, node};
    LOCKSTEP_CHECK(check_node(view));
    const std::string why = arithmetic.unsupported ? arithmetic.unsupported(view) : "";
    if (!why.empty())
      return Error{view.where(), "not computed in " + std::string(arithmetic.name), "another --arith", why};
  }
  Executor e;
  e.graph_ = std::make_shared<const Graph>(std::move(lowered));
  e.arithmetic_ = &arithmetic;
  e.sessions_ = std::make_shared<SessionCache>();
  e.kernels_ = std::make_shared<const NodeKernels>(*e.graph_, *arithmetic.numerics);
  return e;
}

Result<Capture> Executor::run(std::span<const Sample> inputs, std::span<const std::string> wanted,
                              const RunOptions& options) const {
  const Graph& g = *graph_;
  LOCKSTEP_TRY(const std::vector<ValueId> goals, wanted_values(g, wanted));
  Capture capture;
  capture.source = g.file();
  capture.arithmetic = arithmetic_->name;
  std::vector<bool> keep(g.values().size(), false);
  for (const ValueId id : goals) {
    keep[static_cast<std::size_t>(id)] = true;
    capture.infos.emplace(g.value(id).name, info_of(g.value(id)));
    capture.order.push_back(g.value(id).name);
  }
  if (options.node_hooks.empty()) return run_planned(inputs, goals, options, std::move(capture));
  for (const State& s : g.states()) keep[static_cast<std::size_t>(s.out)] = true;
  std::vector<ValueId> ends = goals;
  for (const State& s : g.states()) ends.push_back(s.out);
  for (const NodeHook& h : options.node_hooks) {
    for (const ValueId v : g.node(h.node).outputs)
      if (v != no_id) keep[static_cast<std::size_t>(v)] = true;
    for (const ValueId v : h.also) keep[static_cast<std::size_t>(v)] = true;
    ends.insert(ends.end(), h.also.begin(), h.also.end());
  }
  std::vector<Tensor> states;
  for (const State& s : g.states()) states.push_back(initial_state(g, s));
  Sample hooked;  // outputs of hooked nodes, and inputs as sent, of the sample before
  for (std::size_t s = 0; s < inputs.size(); ++s) {
    Sweep pass(g, *arithmetic_, *kernels_, options);
    Sample next_hooked;
    for (const ValueId id : g.inputs()) {
      const Value& v = g.value(id);
      const auto it = inputs[s].find(v.name);
      if (it == inputs[s].end())
        return Error{g.file(), "no input '" + v.name + "'", "every input of the model", ""};
      Tensor x = it->second;
      for (const InputHook& h : options.input_hooks)
        if (h.input == id) {
          const auto before = hooked.find(v.name);
          LOCKSTEP_CHECK(h.change(x, before == hooked.end() ? nullptr : &before->second));
          next_hooked[v.name] = it->second;
        }
      pass.set(id, std::move(x));
    }
    for (std::size_t i = 0; i < states.size(); ++i) pass.set(g.states()[i].in, states[i]);
    LOCKSTEP_CHECK(pass.run(pass.needed(ends), keep, s == 0 ? nullptr : &hooked));
    for (std::size_t i = 0; i < states.size(); ++i)
      if (options.state == StateMode::keep) states[i] = *pass.get(g.states()[i].out);
    for (const NodeHook& h : options.node_hooks)
      for (const ValueId v : g.node(h.node).outputs)
        if (v != no_id && pass.get(v)) next_hooked[g.value(v).name] = *pass.get(v);
    hooked = std::move(next_hooked);
    Sample& sample = capture.samples.emplace_back();
    for (const ValueId id : goals)
      if (const Tensor* t = pass.get(id)) sample.emplace(g.value(id).name, *t);
  }
  return capture;
}

// Without changes to nodes: planned once for these goals, and again for the next call that has them.
Result<Capture> Executor::run_planned(std::span<const Sample> inputs, const std::vector<ValueId>& goals,
                                      const RunOptions& options, Capture capture) const {
  const Graph& g = *graph_;
  Session::Options plan{{g.inputs().begin(), g.inputs().end()}, goals, default_threads()};
  std::vector<Tensor> states;
  for (const State& s : g.states()) {
    plan.given.push_back(s.in);
    plan.goals.push_back(s.out);
    states.push_back(initial_state(g, s));
  }
  LOCKSTEP_TRY(SessionCache::Lease lease, sessions_->take(g, *arithmetic_->numerics, *kernels_, std::move(plan)));
  Session& session = lease.session();
  const auto feed = [&](ValueId id, const Tensor& x) { std::ranges::copy(x.bytes(), session.input(id).begin()); };
  for (std::size_t s = 0; s < inputs.size(); ++s) {
    for (const ValueId id : g.inputs()) {
      const Value& v = g.value(id);
      const auto it = inputs[s].find(v.name);
      if (it == inputs[s].end())
        return Error{g.file(), "no input '" + v.name + "'", "every input of the model", ""};
      if (it->second.bytes().size() != session.input(id).size())
        return Error{g.file(), "input '" + v.name + "' of shape " + shape_text(it->second.shape()), shape_text(v.shape), ""};
      const Tensor* before = nullptr;
      if (s > 0) before = &inputs[s - 1].find(v.name)->second;
      std::optional<Tensor> changed;
      for (const InputHook& h : options.input_hooks)
        if (h.input == id) {
          if (!changed) changed = it->second;
          LOCKSTEP_CHECK(h.change(*changed, before));
        }
      feed(id, changed ? *changed : it->second);
    }
    for (std::size_t i = 0; i < states.size(); ++i) feed(g.states()[i].in, states[i]);
    LOCKSTEP_CHECK(session.run());
    const auto read = [&](ValueId id) {
      Tensor t(g.value(id).dtype, g.value(id).shape);
      std::ranges::copy(session.value(id), t.bytes().begin());
      return t;
    };
    for (std::size_t i = 0; i < states.size(); ++i)
      if (options.state == StateMode::keep) states[i] = read(g.states()[i].out);
    Sample& sample = capture.samples.emplace_back();
    for (const ValueId id : goals) sample.emplace(g.value(id).name, read(id));
  }
  return capture;
}

Result<std::vector<Tensor>> Executor::run_node(NodeId id, std::span<const Tensor* const> inputs) const {
  const Node& node = graph_->node(id);
  std::vector<const Tensor*> in(node.inputs.size(), nullptr);
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (node.inputs[i] == no_id) continue;
    in[i] = i < inputs.size() && inputs[i] ? inputs[i] : graph_->value(node.inputs[i]).constant.get();
    if (!in[i])
      return Error{graph_->where(node), "input '" + graph_->value(node.inputs[i]).name + "' is missing",
                   "every computed input", ""};
  }
  return evaluate_node(*graph_, id, *arithmetic_->numerics, *kernels_, in);
}

Result<Sample> Executor::run_from(const Sample& known, std::span<const std::string> wanted,
                                  const RunOptions& options) const {
  const Graph& g = *graph_;
  LOCKSTEP_TRY(const std::vector<ValueId> goals, wanted_values(g, wanted));
  Sweep pass(g, *arithmetic_, *kernels_, options);
  for (const auto& [name, tensor] : known) {
    const ValueId id = g.find_value(name);
    if (id != no_id && !g.value(id).constant && tensor.dtype() == g.value(id).dtype && tensor.count() == count_of(g.value(id).shape))
      pass.set(id, tensor.reshaped(g.value(id).shape));
  }
  for (const State& s : g.states())
    if (!pass.get(s.in)) pass.set(s.in, initial_state(g, s));
  std::vector<bool> keep(g.values().size(), true);
  std::vector<ValueId> ends = goals;
  for (const NodeHook& h : options.node_hooks) ends.insert(ends.end(), h.also.begin(), h.also.end());
  LOCKSTEP_CHECK(pass.run(pass.needed(ends), keep, nullptr));
  Sample sample;
  for (const ValueId id : goals)
    if (const Tensor* t = pass.get(id)) sample.emplace(g.value(id).name, *t);
  return sample;
}

}  // namespace lockstep
