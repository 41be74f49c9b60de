// Generated C, compiled with this machine's compiler and run here.
#include <cstdlib>

#include "base/files.h"
#include "target/target_generated.h"

namespace lockstep {
namespace {

class GeneratedC : public Target {
 public:
  GeneratedC(std::string uri, GeneratedNetwork network, ScratchFolder folder, StateMode state)
      : uri_(std::move(uri)),
        network_(std::move(network)),
        folder_(std::move(folder)),
        state_(state) {}

  Description describe() const override {
    return {.uri = uri_,
            .device = "generated C on this machine",
            .arithmetic = network_.arithmetic,
            .all_tensors = true,
            .takes_inputs = true,
            .notes = {}};
  }

  Result<Capture> run(std::span<const Sample> inputs,
                      std::span<const std::string> wanted) override {
    LOCKSTEP_CHECK(write_harness_input(network_, inputs, state_, folder_ / "in.bin"));
    LOCKSTEP_TRY(const ProcessResult done, run_process({.arguments = {folder_ / "network"},
                                                        .folder = "",
                                                        .input = folder_ / "in.bin",
                                                        .output = folder_ / "out.bin"}));
    if (done.code != 0)
      return Error{uri_, "ended with code " + std::to_string(done.code), "code 0", done.errors,
                   Blame::target};
    return read_harness_output(network_, inputs, wanted, folder_ / "out.bin");
  }

  Result<void> build(bool poison) {
    LOCKSTEP_CHECK(write_harness(folder_));
    LOCKSTEP_TRY(const auto sources, sources_of(network_));
    const char* chosen = std::getenv("CC");
    std::vector<std::string> arguments{chosen && *chosen ? chosen : "cc",
                                       "-std=c99",
                                       "-O2",
                                       "-ffp-contract=off",
                                       "-I" + network_.folder,
                                       "-I" + folder_.path(),
                                       "-DNETWORK_HEADER=\"" + network_.name + ".h\"",
                                       "-DNETWORK_NAME=" + network_.name,
                                       folder_ / "main.c",
                                       folder_ / "host.c"};
    if (poison) {
      LOCKSTEP_CHECK(write_file(folder_ / "poison.h", poison_table(network_)));
      arguments.push_back("-DLS_POISON");
    }
    arguments.insert(arguments.end(), sources.begin(), sources.end());
    arguments.insert(arguments.end(), {"-lm", "-o", folder_ / "network"});
    LOCKSTEP_TRY(const ProcessResult done,
                 run_process({.arguments = arguments, .folder = "", .input = "", .output = ""}));
    if (done.code == 0) return {};
    return Error{uri_, "does not compile", "C99 as lockstep generate writes it", done.errors,
                 Blame::target};
  }

 private:
  std::string uri_;
  GeneratedNetwork network_;
  ScratchFolder folder_;
  StateMode state_;
};

// c:DIR[,poison=on]
Result<std::unique_ptr<Target>> open(std::string_view uri, const TargetContext& context) {
  std::string where(uri.substr(2));
  constexpr std::string_view on = ",poison=on";
  const bool poison = where.ends_with(on);
  if (poison) where.resize(where.size() - on.size());
  LOCKSTEP_TRY(GeneratedNetwork network, read_generated(where));
  LOCKSTEP_CHECK(same_model(network, context.model));
  LOCKSTEP_TRY(ScratchFolder folder, ScratchFolder::make());
  auto target = std::make_unique<GeneratedC>(std::string(uri), std::move(network),
                                             std::move(folder), context.state);
  LOCKSTEP_CHECK(target->build(poison));
  return std::unique_ptr<Target>(std::move(target));
}

}  // namespace

extern constinit const TargetDef target_c = {
    .name = "c",
    .syntax = "c:DIR[,poison=on]",
    .meaning =
        "generated C, compiled and run on this machine; with poison, dead bytes are overwritten "
        "after each node",
    .matches = [](std::string_view uri) { return uri.starts_with("c:"); },
    .open = open,
};

}  // namespace lockstep
