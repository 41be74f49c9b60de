#include "fault/fault.h"
#include "target/target.h"

namespace lockstep {
namespace {

constexpr std::string_view prefix = "sim:";

// The reference with faults injected. It records network inputs as they were sent: what a fault
// makes of them happens behind the buffer.
class VirtualDevice : public Target {
 public:
  VirtualDevice(std::string uri, Executor executor, RunOptions faults)
      : uri_(std::move(uri)), executor_(std::move(executor)), faults_(std::move(faults)) {}

  Description describe() const override {
    return {.uri = uri_,
            .device = "virtual device",
            .arithmetic = std::string(executor_.arithmetic().name),
            .all_tensors = true,
            .takes_inputs = true,
            .notes = {}};
  }

  Result<Capture> run(std::span<const Sample> inputs,
                      std::span<const std::string> wanted) override {
    LOCKSTEP_TRY(Capture capture, executor_.run(inputs, wanted, faults_));
    capture.source = uri_;
    for (std::size_t s = 0; s < capture.samples.size(); ++s)
      for (const auto& [name, tensor] : inputs[s])
        if (const auto it = capture.samples[s].find(name); it != capture.samples[s].end())
          it->second = tensor;
    return capture;
  }

 private:
  std::string uri_;
  Executor executor_;
  RunOptions faults_;
};

Result<std::unique_ptr<Target>> open(std::string_view uri, const TargetContext& context) {
  const auto parsed = parse_faults(uri.substr(prefix.size()));
  if (!parsed.ok()) {  // named as the user wrote it, behind --target
    Error error = parsed.error();
    error.where = "--target " + std::string(uri);
    return error;
  }
  const std::vector<FaultSpec>& faults = *parsed;
  LOCKSTEP_TRY(Executor executor, Executor::make(context.model, context.arithmetic));
  LOCKSTEP_TRY(RunOptions options, inject(executor, faults));
  options.state = context.state;
  return std::unique_ptr<Target>(
      std::make_unique<VirtualDevice>(std::string(uri), std::move(executor), std::move(options)));
}

}  // namespace

extern constinit const TargetDef target_sim = {
    .name = "sim",
    .syntax = "sim:FAULT[@NODE][,key=value...][+FAULT...]",
    .meaning = "a virtual device: the reference with faults injected",
    .matches = [](std::string_view uri) { return uri.starts_with(prefix); },
    .open = open,
};

}  // namespace lockstep
