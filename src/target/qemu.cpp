// Generated C on an emulated Cortex-M55.
#include "target/target_m55.h"

namespace lockstep {
namespace {

class EmulatedBoard : public Target {
 public:
  EmulatedBoard(std::string uri, GeneratedNetwork network, ScratchFolder folder, StateMode state)
      : uri_(std::move(uri)),
        network_(std::move(network)),
        folder_(std::move(folder)),
        state_(state) {}

  Description describe() const override {
    return {.uri = uri_,
            .device = "emulated Cortex-M55 (QEMU mps3-an547)",
            .arithmetic = network_.arithmetic,
            .all_tensors = true,
            .takes_inputs = true,
            .notes = {}};
  }

  Result<Capture> run(std::span<const Sample> inputs,
                      std::span<const std::string> wanted) override {
    LOCKSTEP_CHECK(write_harness_input(network_, inputs, state_, folder_ / "in.bin"));
    LOCKSTEP_CHECK(run_firmware(folder_));
    return read_harness_output(network_, inputs, wanted, folder_ / "out.bin");
  }

  Result<void> build(bool helium) {
    return build_firmware(
        network_, folder_,
        helium ? std::vector<std::string>{} : std::vector<std::string>{"-DLS_NO_HELIUM"});
  }

 private:
  std::string uri_;
  GeneratedNetwork network_;
  ScratchFolder folder_;
  StateMode state_;
};

// qemu:DIR[,helium=off]
Result<std::unique_ptr<Target>> open(std::string_view uri, const TargetContext& context) {
  std::string folder(uri.substr(5));
  constexpr std::string_view off = ",helium=off";
  const bool helium = !folder.ends_with(off);
  if (!helium) folder.resize(folder.size() - off.size());
  LOCKSTEP_TRY(GeneratedNetwork network, read_generated(folder));
  LOCKSTEP_CHECK(same_model(network, context.model));
  LOCKSTEP_TRY(ScratchFolder work, ScratchFolder::make());
  auto target = std::make_unique<EmulatedBoard>(std::string(uri), std::move(network),
                                                std::move(work), context.state);
  LOCKSTEP_CHECK(target->build(helium));
  return std::unique_ptr<Target>(std::move(target));
}

}  // namespace

extern constinit const TargetDef target_qemu = {
    .name = "qemu",
    .syntax = "qemu:DIR[,helium=off]",
    .meaning = "generated C on an emulated Cortex-M55, with or without its vector unit",
    .matches = [](std::string_view uri) { return uri.starts_with("qemu:"); },
    .open = open,
};

}  // namespace lockstep
