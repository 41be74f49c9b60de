#include "run/recording.h"
#include "target/target.h"

namespace lockstep {
namespace {

// Recorded tensors as a target. Its samples are what they are: `run` yields them whatever the
// inputs, and the inputs only say how many samples the caller expects.
class Captures : public Target {
 public:
  Captures(Recording recording, const Graph& model)
      : recording_(std::move(recording)), model_(model) {}

  Description describe() const override {
    return {.uri = recording_.source,
            .device = recording_.source,
            .arithmetic = recording_.arithmetic,
            .all_tensors = false,
            .takes_inputs = false,
            .notes = recording_.notes};
  }

  // All that is recorded, whatever is wanted: names that are gone can only be paired later.
  Result<Capture> run(std::span<const Sample> inputs, std::span<const std::string>) override {
    return capture_from(recording_, model_, static_cast<std::int64_t>(inputs.size()));
  }

 private:
  Recording recording_;
  Graph model_;
};

Result<std::unique_ptr<Target>> open(std::string_view uri, const TargetContext& context) {
  LOCKSTEP_TRY(Recording recording, read_recording(std::string(uri)));
  return std::unique_ptr<Target>(std::make_unique<Captures>(std::move(recording), context.model));
}

}  // namespace

extern constinit const TargetDef target_captures = {
    .name = "captures",
    .syntax = "FILE.npz | FOLDER | FILE.npy | FILE.json | FILE.raw | FILE.csv",
    .meaning = "recorded tensors of a device, also ST's *_val_io.npz",
    .matches = [](std::string_view uri) { return !uri.starts_with("npu:") && is_recording(uri); },
    .open = open,
};

}  // namespace lockstep
