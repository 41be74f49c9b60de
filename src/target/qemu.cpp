// Generated C on an emulated Cortex-M55.
#include "target/target_compiled.h"
#include "target/target_m55.h"

namespace lockstep {
namespace {

Result<void> build(const GeneratedNetwork& network, const ScratchFolder& work, bool without_helium,
                   const std::string&) {
  return build_firmware(
      network, work,
      without_helium ? std::vector<std::string>{"-DLS_NO_HELIUM"} : std::vector<std::string>{});
}

constexpr CompiledKind kind = {
    .scheme = "qemu:",
    .option = ",helium=off",
    .device = "emulated Cortex-M55 (QEMU mps3-an547)",
    .build = build,
    .execute = [](const ScratchFolder& work, const std::string&) { return run_firmware(work); },
};

}  // namespace

extern constinit const TargetDef target_qemu = {
    .name = "qemu",
    .syntax = "qemu:DIR[,helium=off]",
    .meaning = "generated C on an emulated Cortex-M55, with or without its vector unit",
    .matches = [](std::string_view uri) { return uri.starts_with("qemu:"); },
    .open = [](std::string_view uri,
               const TargetContext& context) { return open_compiled(kind, uri, context); },
};

}  // namespace lockstep
