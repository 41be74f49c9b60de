#pragma once

#include "target/target_generated.h"

namespace lockstep {

// Generated C on the emulated board mps3-an547 (QEMU, Cortex-M55), built with arm-none-eabi-gcc.

// Compiles `network` with the harness into folder/firmware.elf.
Result<void> build_firmware(const GeneratedNetwork& network, const ScratchFolder& folder,
                            const std::vector<std::string>& flags);
// Runs folder/firmware.elf; it reads in.bin and writes out.bin there.
Result<void> run_firmware(const ScratchFolder& folder,
                          const std::vector<std::string>& options = {});

}  // namespace lockstep
