#include "target/target.h"

namespace lockstep {
namespace {

class Reference : public Target {
 public:
  Reference(Executor executor, StateMode state) : executor_(std::move(executor)), state_(state) {}

  Description describe() const override {
    const Arithmetic& a = executor_.arithmetic();
    return {.uri = std::string(a.name),
            .device = std::string(a.runtime),
            .arithmetic = std::string(a.name),
            .all_tensors = true,
            .takes_inputs = true,
            .notes = {}};
  }

  Result<Capture> run(std::span<const Sample> inputs,
                      std::span<const std::string> wanted) override {
    RunOptions options;
    options.state = state_;
    return executor_.run(inputs, wanted, options);
  }

 private:
  Executor executor_;
  StateMode state_;
};

Result<std::unique_ptr<Target>> open(std::string_view uri, const TargetContext& context) {
  LOCKSTEP_TRY(Executor executor, Executor::make(context.model, *find_arithmetic(uri)));
  return std::unique_ptr<Target>(std::make_unique<Reference>(std::move(executor), context.state));
}

}  // namespace

extern constinit const TargetDef target_reference = {
    .name = "reference",
    .syntax = "ARITHMETIC",
    .meaning = "the model on this machine, in a named arithmetic",
    .matches = [](std::string_view uri) { return find_arithmetic(uri) != nullptr; },
    .open = open,
};

}  // namespace lockstep
