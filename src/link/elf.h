#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/files.h"

namespace lockstep {

// One named place of a program.
struct ElfSymbol {
  std::uint32_t address = 0, size = 0;  // bit 0 of a Thumb function's address is cleared
  bool function = false;
};

// The symbols of a 32-bit little-endian ELF file, by name; of equal names the first global one. Errors:
// not such a file, tables outside of it, no symbols.
Result<std::map<std::string, ElfSymbol, std::less<>>> read_elf_symbols(const std::string& path);

// What the file puts into memory: code and constants where `writable` is false.
struct ElfSegment {
  std::uint32_t address = 0;
  bool writable = false;
  Bytes bytes;
};
Result<std::vector<ElfSegment>> read_elf_segments(const std::string& path);

}  // namespace lockstep
