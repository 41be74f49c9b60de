#include "run/planned_run.h"

#include <algorithm>
#include <optional>

#include "base/copy_bytes.h"
#include "base/text.h"
#include "run/node_kernels.h"
#include "run/sweep.h"

namespace lockstep {
namespace {

constexpr std::size_t few_nodes = 3;  // evaluated one by one: planning would cost more

// Bytes of the values that an unchanged run keeps for later; beyond, only those asked for.
constexpr std::size_t most_kept = std::size_t{8} << 20;

}  // namespace

Tensor initial_state(const Graph& g, const State& state) {
  if (state.initial) return *state.initial;
  const Value& v = g.value(state.in);
  Tensor zero(v.dtype, v.shape);
  if (v.quant.quantized())
    for (std::int64_t i = 0; i < zero.count(); ++i) zero.set_code(i, v.quant.zero_at(0));
  return zero;
}

PlannedRun::PlannedRun(const Graph& graph, const Arithmetic& arithmetic, const NodeKernels& kernels,
                       SessionCache& cache, const RunOptions& options)
    : g_(graph), arithmetic_(arithmetic), kernels_(kernels), cache_(cache), options_(options) {
  resumed_ = !options.node_hooks.empty() && options.input_hooks.empty() && g_.states().empty();
}

Session::Options PlannedRun::plan_for(std::span<const ValueId> goals) const {
  Session::Options plan;
  plan.threads = default_threads();
  plan.resumed = resumed_;
  plan.readable.assign(goals.begin(), goals.end());
  for (const State& s : g_.states()) plan.readable.push_back(s.out);
  if (!resumed_) {
    plan.given.assign(g_.inputs().begin(), g_.inputs().end());
    for (const State& s : g_.states()) plan.given.push_back(s.in);
  }
  for (const NodeHook& h : options_.node_hooks) plan.hooks.push_back({h.node, h.also});
  return plan;
}

Result<SessionCache::Lease> PlannedRun::lease(const Session::Options& plan) const {
  return cache_.take(g_, *arithmetic_.numerics, kernels_, plan);
}

Result<void> PlannedRun::call_hook(std::size_t index, std::span<const Tensor* const> in,
                                   std::span<Tensor> out) {
  const NodeHook& hook = options_.node_hooks[index];
  std::vector<Tensor> before;
  if (!first_) {
    const auto it = before_.find(hook.node);
    if (it != before_.end())
      before = it->second;
    else
      before.resize(out.size());
  }
  LOCKSTEP_CHECK(hook.change(in, out, before));
  now_[hook.node].assign(out.begin(), out.end());
  return {};
}

Result<Tensor> PlannedRun::read(Session& session, ValueId id) const {
  Tensor t(g_.value(id).dtype, g_.value(id).shape);
  LOCKSTEP_CHECK(session.read(id, t.bytes()));
  return t;
}

Result<Sample> PlannedRun::results(Session& session, std::span<const ValueId> goals) const {
  Sample sample;
  for (const ValueId id : goals) {
    LOCKSTEP_TRY(Tensor t, read(session, id));
    sample.emplace(g_.value(id).name, std::move(t));
  }
  return sample;
}

Result<void> PlannedRun::feed_input(Session& session, ValueId id, const Sample& sample,
                                    const Sample* before) {
  const Value& v = g_.value(id);
  const Tensor& x = sample.find(v.name)->second;
  std::optional<Tensor> changed;
  for (const InputHook& h : options_.input_hooks)
    if (h.input == id) {
      if (!changed) changed = x;
      LOCKSTEP_CHECK(h.change(*changed, before ? &before->find(v.name)->second : nullptr, sample));
    }
  copy_bytes((changed ? *changed : x).bytes(), session.input(id).data());
  return {};
}

Result<void> PlannedRun::feed(Session& session, const Sample& sample, const Sample* before) {
  for (const ValueId id : g_.inputs()) {
    const Value& v = g_.value(id);
    const auto it = sample.find(v.name);
    if (it == sample.end())
      return Error{g_.file(), "no input '" + v.name + "'", "every input of the model", ""};
    if (it->second.dtype() != v.dtype || it->second.count() != count_of(v.shape))
      return Error{g_.file(), "input '" + v.name + "' of shape " + shape_text(it->second.shape()),
                   shape_text(v.shape), ""};
  }
  std::vector<ValueId> from_unchanged;
  for (const ValueId id : session.given()) {
    if (std::ranges::count(g_.inputs(), id) > 0) {
      LOCKSTEP_CHECK(feed_input(session, id, sample, before));
      continue;
    }
    const auto state = std::ranges::find(g_.states(), id, &State::in);
    if (state != g_.states().end())
      copy_bytes(states_[static_cast<std::size_t>(state - g_.states().begin())].bytes(),
                 session.input(id).data());
    else
      from_unchanged.push_back(id);
  }
  if (from_unchanged.empty()) return {};
  LOCKSTEP_TRY(const SessionCache::Values values, unchanged(sample, from_unchanged));
  for (std::size_t i = 0; i < from_unchanged.size(); ++i)
    copy_bytes(values[i]->bytes(), session.input(from_unchanged[i]).data());
  return {};
}

// Values of a run over `sample` in which nothing is changed.
Result<SessionCache::Values> PlannedRun::unchanged(const Sample& sample,
                                                   std::span<const ValueId> ids) {
  SessionCache::Values values = cache_.kept(sample, ids);
  if (!values.empty()) return values;
  const RunOptions none;
  PlannedRun plain(g_, arithmetic_, kernels_, cache_, none);
  std::vector<ValueId> all(ids.begin(), ids.end());
  std::size_t bytes = 0;
  for (const Node& n : g_.nodes())
    for (const ValueId v : n.outputs)
      if (v != no_id && !kernels_.constants()[static_cast<std::size_t>(v)] &&
          size_of(g_.value(v).dtype) == 1) {
        bytes += static_cast<std::size_t>(count_of(g_.value(v).shape));
        if (bytes < most_kept && std::ranges::count(ids, v) == 0) all.push_back(v);
      }
  LOCKSTEP_TRY(SessionCache::Lease session, lease(plain.plan_for(all)));
  LOCKSTEP_CHECK(plain.feed(session.session(), sample, nullptr));
  LOCKSTEP_CHECK(session.session().run());
  std::vector<Tensor> made;
  for (const ValueId id : all) {
    LOCKSTEP_TRY(Tensor t, read(session.session(), id));
    made.push_back(std::move(t));
  }
  return cache_.keep(sample, all, std::move(made), ids.size());
}

Result<Sample> PlannedRun::run_one(Session& session, std::span<const Sample> inputs,
                                   std::size_t index, std::span<const ValueId> goals) {
  LOCKSTEP_CHECK(feed(session, inputs[index], index > 0 ? &inputs[index - 1] : nullptr));
  LOCKSTEP_CHECK(session.run(
      [this](std::size_t hook, auto in, auto out) { return call_hook(hook, in, out); }));
  return results(session, goals);
}

// Samples that do not depend on each other, each on one thread.
Result<std::vector<Sample>> PlannedRun::run_together(std::span<const Sample> inputs,
                                                     const Session::Options& plan,
                                                     std::span<const ValueId> goals) {
  std::vector<Sample> samples(inputs.size());
  std::vector<std::optional<Error>> errors(inputs.size());
  Workers workers(plan.threads);
  Session::Options alone = plan;
  alone.threads = 1;
  workers.each(
      static_cast<std::int64_t>(inputs.size()), [&](std::int64_t first, std::int64_t last, int) {
        auto held = lease(alone);
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
          auto made =
              held.ok() ? run_one(held->session(), inputs, i, goals) : Result<Sample>(held.error());
          if (made.ok())
            samples[i] = std::move(*made);
          else
            errors[i] = made.error();
        }
      });
  for (const auto& error : errors)
    if (error) return *error;
  return samples;
}

Result<std::vector<Sample>> PlannedRun::run(std::span<const Sample> inputs,
                                            std::span<const ValueId> goals) {
  const Session::Options plan = plan_for(goals);
  for (const State& s : g_.states()) states_.push_back(initial_state(g_, s));
  const bool apart = options_.node_hooks.empty() && options_.input_hooks.empty() &&
                     (g_.states().empty() || options_.state == StateMode::reset);
  if (apart && plan.threads > 1 && inputs.size() > 1) return run_together(inputs, plan, goals);
  LOCKSTEP_TRY(SessionCache::Lease held, lease(plan));
  std::vector<Sample> samples;
  for (std::size_t s = 0; s < inputs.size(); ++s) {
    LOCKSTEP_TRY(Sample sample, run_one(held.session(), inputs, s, goals));
    samples.push_back(std::move(sample));
    if (options_.state == StateMode::keep)
      for (std::size_t i = 0; i < states_.size(); ++i) {
        LOCKSTEP_TRY(states_[i], read(held.session(), g_.states()[i].out));
      }
    before_ = std::exchange(now_, {});
    first_ = false;
  }
  return samples;
}

Result<Sample> PlannedRun::run_from(std::map<ValueId, Tensor> known,
                                    std::span<const ValueId> wanted) {
  std::vector<ValueId> goals;  // an input that nobody gave is left out
  for (const ValueId id : wanted)
    if (g_.value(id).producer != no_id || g_.value(id).constant || known.contains(id))
      goals.push_back(id);
  Sweep sweep(g_, arithmetic_, kernels_, options_);
  std::vector<ValueId> ends(goals.begin(), goals.end()), given;
  for (const auto& [id, tensor] : known) given.push_back(id);
  for (const NodeHook& h : options_.node_hooks)
    ends.insert(ends.end(), h.also.begin(), h.also.end());
  const std::vector<bool> nodes = sweep.needed(ends, given);
  if (static_cast<std::size_t>(std::ranges::count(nodes, true)) > few_nodes) {
    resumed_ = false;
    Session::Options plan = plan_for(goals);
    plan.readable.assign(goals.begin(), goals.end());
    plan.given = given;
    LOCKSTEP_TRY(SessionCache::Lease held, lease(plan));
    for (const ValueId id : held.session().given())
      copy_bytes(known.at(id).bytes(), held.session().input(id).data());
    LOCKSTEP_CHECK(held.session().run(
        [this](std::size_t hook, auto in, auto out) { return call_hook(hook, in, out); }));
    return results(held.session(), goals);
  }
  for (auto& [id, tensor] : known) sweep.set(id, std::move(tensor));
  LOCKSTEP_CHECK(sweep.run(nodes));
  Sample sample;
  for (const ValueId id : goals)
    if (const Tensor* t = sweep.get(id)) sample.emplace(g_.value(id).name, *t);
  return sample;
}

}  // namespace lockstep
