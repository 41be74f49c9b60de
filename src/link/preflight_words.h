#pragma once

#include <optional>

#include "link/preflight.h"

namespace lockstep {

// A register, by its secure address or its non-secure one; nothing, and the reason, when neither
// can be read.
std::optional<std::uint32_t> register_word(const ReadMemory& read, std::uint32_t address,
                                           std::string& why);

// The firewalls in front of the memories (RISAF): what each has refused, and whether its regions
// let the NPU at the memory used.
std::vector<PreflightAnswer> ask_guards_stm32n6(const ReadMemory& read,
                                                std::span<const UsedMemory> used);

}  // namespace lockstep
