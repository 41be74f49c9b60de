#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"

namespace lockstep {

// Hexadecimal as the GDB protocol writes memory and registers.
int hex_digit(char c);  // -1: none
std::string to_hex(std::span<const std::byte> bytes);
// "xx" digits (registers that are unknown) read as zero; nothing when it is no hexadecimal.
std::optional<Bytes> from_hex(std::string_view text);

}  // namespace lockstep
