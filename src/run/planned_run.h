#pragma once

#include <map>
#include <span>
#include <vector>

#include "run/executor.h"
#include "run/session_cache.h"

namespace lockstep {

// What a state holds before the first run: its initial contents, else zero points.
Tensor initial_state(const Graph& graph, const State& state);

// Runs of one executor with given changes to nodes and inputs. Where nothing but nodes is changed
// and no state goes from run to run, values that no change reaches come from the unchanged run of
// the same inputs, which the cache keeps: a change at the end of a network costs its end.
class PlannedRun {
 public:
  PlannedRun(const Graph& graph, const Arithmetic& arithmetic, const NodeKernels& kernels,
             SessionCache& cache, const RunOptions& options);

  // One sample of `goals` for each of `inputs`; several at once over the default number of threads
  // where no sample depends on the one before.
  Result<std::vector<Sample>> run(std::span<const Sample> inputs, std::span<const ValueId> goals);
  // The goals that follow from `known` and constants.
  Result<Sample> run_from(std::map<ValueId, Tensor> known, std::span<const ValueId> goals);

 private:
  using Values = std::map<ValueId, const Tensor*>;
  Session::Options plan_for(std::span<const ValueId> goals) const;
  Result<Sample> run_one(Session& session, std::span<const Sample> inputs, std::size_t index,
                         std::span<const ValueId> goals);
  Result<void> feed(Session& session, const Sample& sample, const Sample* before);
  Result<void> feed_input(Session& session, ValueId id, const Sample& sample, const Sample* before);
  Result<Sample> results(Session& session, std::span<const ValueId> goals) const;
  Result<Tensor> read(Session& session, ValueId id) const;
  Result<SessionCache::Values> unchanged(const Sample& sample, std::span<const ValueId> ids);
  Result<void> call_hook(std::size_t index, std::span<const Tensor* const> in,
                         std::span<Tensor> out);
  Result<std::vector<Sample>> run_together(std::span<const Sample> inputs,
                                           const Session::Options& plan,
                                           std::span<const ValueId> goals);
  Result<SessionCache::Lease> lease(const Session::Options& plan) const;

  const Graph& g_;
  const Arithmetic& arithmetic_;
  const NodeKernels& kernels_;
  SessionCache& cache_;
  const RunOptions& options_;
  std::vector<Tensor> states_;
  bool first_ = true, resumed_ = false;
  std::map<NodeId, std::vector<Tensor>> before_, now_;  // what hooked nodes yielded
};

}  // namespace lockstep
