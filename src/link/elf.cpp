// ELF, 32 bits, little end first (System V ABI, "Object files"): the header says where sections
// stand; a section of type 2 (SYMTAB) holds 16-byte symbols and names its string section.
#include "link/elf.h"

#include <algorithm>

#include <fmt/format.h>

namespace lockstep {
namespace {

constexpr std::uint32_t symbol_table = 2, symbol_bytes = 16, section_bytes = 40, segment_bytes = 32,
                        load_segment = 1;

// Reads numbers within bounds; what lies outside is 0 and remembered.
class View {
 public:
  explicit View(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::uint32_t word(std::uint64_t at) const { return number(at, 4); }
  std::uint32_t half(std::uint64_t at) const { return number(at, 2); }
  std::uint32_t byte(std::uint64_t at) const { return number(at, 1); }
  bool holds(std::uint64_t at, std::uint64_t size) const {
    return at <= bytes_.size() && size <= bytes_.size() - at;
  }
  std::string text(std::uint64_t at, std::uint64_t end) const {
    std::string out;
    for (; at < end && byte(at) != 0 && out.size() < 1024; ++at) out += static_cast<char>(byte(at));
    return out;
  }

 private:
  std::uint32_t number(std::uint64_t at, std::uint64_t size) const {
    if (!holds(at, size)) return 0;
    std::uint32_t n = 0;
    for (std::uint64_t i = 0; i < size; ++i)
      n |= static_cast<std::uint32_t>(bytes_[at + i]) << (8 * i);
    return n;
  }
  std::span<const std::byte> bytes_;
};

Result<void> check_header(const View& v, const std::string& path) {
  if (v.word(0) == 0x464C457F && v.byte(4) == 1 && v.byte(5) == 1 && v.holds(0, 52)) return {};
  return Error{path, "not a 32-bit little-endian ELF file", "the firmware's .elf", ""};
}

}  // namespace

Result<ElfSymbols> elf_symbols(std::span<const std::byte> bytes, const std::string& where) {
  const View v(bytes);
  LOCKSTEP_CHECK(check_header(v, where));
  const std::uint32_t sections = v.word(32), count = v.half(48);
  const Error outside{where, "a table outside the file", "a whole ELF file", "was it cut off?"};
  if (!v.holds(sections, std::uint64_t{count} * section_bytes)) return outside;
  ElfSymbols symbols;
  std::map<std::string, bool, std::less<>> global;
  for (std::uint32_t s = 0; s < count; ++s) {
    const std::uint64_t section = sections + std::uint64_t{s} * section_bytes;
    if (v.word(section + 4) != symbol_table) continue;
    const std::uint32_t from = v.word(section + 16), size = v.word(section + 20),
                        link = v.word(section + 24);
    const std::uint64_t names = sections + std::uint64_t{link} * section_bytes;
    if (link >= count || !v.holds(from, size) || !v.holds(v.word(names + 16), v.word(names + 20)))
      return outside;
    const std::uint64_t text = v.word(names + 16), text_end = text + v.word(names + 20);
    for (std::uint64_t at = from; at + symbol_bytes <= std::uint64_t{from} + size;
         at += symbol_bytes) {
      const std::string name = v.text(text + v.word(at), text_end);
      const std::uint32_t type = v.byte(at + 12) & 0xF, binding = v.byte(at + 12) >> 4;
      if (name.empty() || name[0] == '$' || type > 2 || v.half(at + 14) == 0) continue;
      ElfSymbol symbol{v.word(at + 4), v.word(at + 8), type == 2};
      if (symbol.function) symbol.address &= ~1u;
      if (symbols.contains(name) && (global[name] || binding == 0)) continue;
      global[name] = binding != 0;
      symbols[name] = symbol;
    }
    break;  // a file has one
  }
  if (symbols.empty()) return Error{where, "no symbols", "an ELF file that was not stripped", ""};
  return symbols;
}

Result<ElfSymbols> read_elf_symbols(const std::string& path) {
  LOCKSTEP_TRY(const Bytes bytes, read_file(path));
  return elf_symbols(bytes, path);
}

Result<std::vector<ElfSegment>> elf_segments(std::span<const std::byte> bytes,
                                             const std::string& where) {
  const View v(bytes);
  LOCKSTEP_CHECK(check_header(v, where));
  const std::uint32_t segments = v.word(28), count = v.half(44);
  std::vector<ElfSegment> found;
  std::uint64_t total = 0;
  for (std::uint32_t s = 0; s < count; ++s) {
    const std::uint64_t at = segments + std::uint64_t{s} * segment_bytes;
    const std::uint32_t type = v.word(at), from = v.word(at + 4), size = v.word(at + 16),
                        flags = v.word(at + 24);
    if (type != load_segment || size == 0) continue;
    total += size;
    if (!v.holds(from, size) || total > bytes.size())
      return Error{where, fmt::format("segment {} outside the file, or on another's bytes", s),
                   "a whole ELF file", "was it cut off?"};
    const auto part = bytes.subspan(from, size);
    found.push_back({v.word(at + 8), (flags & 2) != 0, Bytes(part.begin(), part.end())});
  }
  return found;
}

Result<std::vector<ElfSegment>> read_elf_segments(const std::string& path) {
  LOCKSTEP_TRY(const Bytes bytes, read_file(path));
  return elf_segments(bytes, path);
}

}  // namespace lockstep
