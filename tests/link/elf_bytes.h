#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"

namespace lockstep::test {

// A 32-bit little-endian ELF file with these symbols and no code.
struct ElfEntry {
  std::string name;
  std::uint32_t address, size;
  bool function;
};
inline Bytes elf_with(const std::vector<ElfEntry>& symbols) {
  Bytes file(52 + 3 * 40);
  const auto word = [&](std::size_t at, std::uint32_t v, int bytes = 4) {
    for (int b = 0; b < bytes; ++b)
      file[at + static_cast<std::size_t>(b)] = static_cast<std::byte>(v >> (8 * b));
  };
  word(0, 0x464C457F);
  word(4, 0x00010101);
  word(32, 52);
  word(48, 3, 2);
  std::string names(1, '\0');
  const std::size_t table = file.size();
  file.resize(table + 16 * (symbols.size() + 1));
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const std::size_t at = table + 16 * (i + 1);
    word(at, static_cast<std::uint32_t>(names.size()));
    word(at + 4, symbols[i].address | (symbols[i].function ? 1u : 0u));
    word(at + 8, symbols[i].size);
    word(at + 12, 0x10u | (symbols[i].function ? 2u : 1u), 1);
    word(at + 14, 1, 2);
    names += symbols[i].name + '\0';
  }
  const std::size_t text = file.size();
  for (const char c : names) file.push_back(static_cast<std::byte>(c));
  word(52 + 40 + 4, 2);
  word(52 + 40 + 16, static_cast<std::uint32_t>(table));
  word(52 + 40 + 20, static_cast<std::uint32_t>(16 * (symbols.size() + 1)));
  word(52 + 40 + 24, 2);
  word(52 + 80 + 4, 3);
  word(52 + 80 + 16, static_cast<std::uint32_t>(text));
  word(52 + 80 + 20, static_cast<std::uint32_t>(names.size()));
  return file;
}

}  // namespace lockstep::test
