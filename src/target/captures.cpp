#include "base/files.h"
#include "base/text.h"
#include "run/merge.h"
#include "run/recording.h"
#include "target/target.h"

namespace lockstep {
namespace {

// Recorded tensors as a target, of one build or of several. Its samples are what they are: `run`
// yields them whatever the inputs, and the inputs only say how many samples the caller expects.
class Captures : public Target {
 public:
  Captures(std::string uri, std::vector<Recording> recordings, const Graph& model)
      : uri_(std::move(uri)), recordings_(std::move(recordings)), model_(model) {}

  Description describe() const override {
    Description d{.uri = uri_,
                  .device = uri_,
                  .arithmetic = recordings_[0].arithmetic,
                  .all_tensors = false,
                  .takes_inputs = false,
                  .notes = {}};
    for (const Recording& r : recordings_) {
      d.notes.insert(d.notes.end(), r.notes.begin(), r.notes.end());
      if (std::string why = of_another_model(r.build); !why.empty())
        d.notes.push_back(r.source + why);
    }
    return d;
  }

  // All that is recorded, whatever is wanted: names that are gone can only be paired later.
  Result<Capture> run(std::span<const Sample> inputs, std::span<const std::string>) override {
    std::vector<Capture> captures;
    std::vector<Build> builds;
    for (const Recording& r : recordings_) {
      builds.push_back(r.build);
      LOCKSTEP_TRY(captures.emplace_back(),
                   capture_from(r, model_, static_cast<std::int64_t>(inputs.size())));
    }
    return merge_captures(captures, builds);
  }

 private:
  // What is known of one model file says little about another.
  std::string of_another_model(const Build& build) const {
    const auto own = read_file(model_.file());
    if (build.model.empty() || !own.ok() || build.model == model_hash(*own)) return "";
    return " was recorded from another model file than " + model_.file() +
           (build.exposed.empty() ? " (another version, or a variant of it)"
                                  : " (a variant that exposes " + listed(build.exposed) + ")") +
           ": it speaks of that build";
  }
  static std::string listed(const std::vector<std::string>& names) {
    return names.size() > 4 ? std::to_string(names.size()) + " tensors" : join(names, ", ");
  }

  std::string uri_;
  std::vector<Recording> recordings_;
  Graph model_;
};

Result<std::unique_ptr<Target>> open(std::string_view uri, const TargetContext& context) {
  const std::string path(uri);
  const bool whole = file_exists(path) || folder_exists(path);
  std::vector<Recording> recordings;
  for (const std::string& part : whole ? std::vector{path} : split(path, '+')) {
    LOCKSTEP_TRY(recordings.emplace_back(), read_recording(part));
  }
  return std::unique_ptr<Target>(
      std::make_unique<Captures>(path, std::move(recordings), context.model));
}

}  // namespace

extern constinit const TargetDef target_captures = {
    .name = "captures",
    .syntax =
        "FILE.npz | FOLDER | FILE.npy | FILE.json | FILE.raw | FILE.bin | FILE.csv | FILE.txt | "
        "FILE.h | FILE+FILE...",
    .meaning =
        "recorded tensors of a device, also ST's *_val_io.npz; with +, of several exposed "
        "variants, merged",
    .matches = [](std::string_view uri) { return !uri.starts_with("npu:") && is_recording(uri); },
    .open = open,
};

}  // namespace lockstep
