#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"

namespace lockstep {

// One named place of a program.
struct ElfSymbol {
  std::uint32_t address = 0, size = 0;  // bit 0 of a Thumb function's address is cleared
  bool function = false;
};

// The symbols of a 32-bit little-endian ELF file, by name; of equal names the first global one.
// Errors: not such a file, tables outside of it, no symbols.
using ElfSymbols = std::map<std::string, ElfSymbol, std::less<>>;
Result<ElfSymbols> read_elf_symbols(const std::string& path);
Result<ElfSymbols> elf_symbols(std::span<const std::byte> bytes, const std::string& where);

// What the file puts into memory: code and constants where `writable` is false. Never more than it
// holds.
struct ElfSegment {
  std::uint32_t address = 0;
  bool writable = false;
  Bytes bytes;
};
Result<std::vector<ElfSegment>> read_elf_segments(const std::string& path);
Result<std::vector<ElfSegment>> elf_segments(std::span<const std::byte> bytes,
                                             const std::string& where);

}  // namespace lockstep
