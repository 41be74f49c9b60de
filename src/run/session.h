#pragma once

#include <memory>
#include <span>
#include <vector>

#include "arith/arith.h"
#include "base/workers.h"
#include "run/node_kernels.h"

namespace lockstep {

// A graph planned for many runs: kernels resolved, values placed in one arena by their live ranges,
// values between convolutions kept channels last, chains of functions of one byte joined to tables.
// A run allocates nothing unless a node has no kernel (`evaluated`). One thread at a time.
class Session {
 public:
  struct Options {
    std::vector<ValueId> given;  // written by the caller before each run
    std::vector<ValueId> goals;  // readable after it
    int threads = 1;
  };
  // Graph and kernels are borrowed. Errors: a goal that does not follow from what is given.
  static Result<std::unique_ptr<Session>> make(const Graph& graph, const Numerics& num,
                                               const NodeKernels& kernels, Options options);
  ~Session();

  std::span<std::byte> input(ValueId id);  // in the order of its shape
  Result<void> run();
  std::span<const std::byte> value(ValueId id) const;  // a goal, in the order of its shape

  std::size_t arena_bytes() const;
  std::span<const NodeId> evaluated() const;  // nodes computed by the operator's own `eval`
  // One line for each step: what it does and, after `profile`, the seconds of the last run.
  struct StepTime {
    std::string what;
    NodeId node = no_id;
    double seconds = 0;
  };
  std::vector<StepTime> profile();

 private:
  struct Plan;
  explicit Session(std::unique_ptr<Plan> plan);
  std::unique_ptr<Plan> plan_;
};

}  // namespace lockstep
