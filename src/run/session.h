#pragma once

#include <functional>
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
  // A node whose outputs are changed once they are made. It sees its inputs and, appended to them,
  // `also` (null where not made before the node). `index`: of the hook in Options::hooks.
  struct Hook {
    NodeId node = no_id;
    std::vector<ValueId> also;
    friend bool operator==(const Hook&, const Hook&) = default;
  };
  using OnHook = std::function<Result<void>(std::size_t index, std::span<const Tensor* const> in,
                                            std::span<Tensor> out)>;
  struct Options {
    std::vector<ValueId> given;     // written by the caller before each run
    std::vector<ValueId> goals;     // `value` is there after it
    std::vector<ValueId> readable;  // `read` yields them after it, and every goal
    int threads = 1;
    std::vector<Hook> hooks = {};
    // What no hook reaches is not computed: the caller writes it (`given` of the session says
    // what).
    bool resumed = false;
    friend bool operator==(const Options&, const Options&) = default;
  };
  // Graph and kernels are borrowed. Errors: a goal that does not follow from what is given.
  static Result<std::unique_ptr<Session>> make(const Graph& graph, const Numerics& num,
                                               const NodeKernels& kernels, Options options);
  ~Session();

  // What a run reads, of all that could be given.
  std::span<const ValueId> given() const;
  std::span<std::byte> input(ValueId id);  // in the order of its shape; of one of `given()`
  Result<void> run(const OnHook& on_hook = {});
  std::span<const std::byte> value(ValueId id) const;  // a goal, in the order of its shape
  // A readable value, in the order of its shape, as the operators' own `eval` makes it. A run keeps
  // what it computes; what it has no use for (the float side of a quantizer, what a table skips)
  // follows from what is kept, and is made here.
  Result<void> read(ValueId id, std::span<std::byte> to);

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
