// Any bytes as a firmware's ELF file: symbols, and segments of no more bytes than
// the file has, or an error.
#include <cstdlib>

#include "link/elf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto symbols = lockstep::elf_symbols(bytes, "fuzz.elf");
  if (symbols.ok() && symbols->empty()) std::abort();
  const auto segments = lockstep::elf_segments(bytes, "fuzz.elf");
  if (!segments.ok()) return 0;
  std::size_t total = 0;
  for (const auto& segment : *segments) total += segment.bytes.size();
  if (total > size) std::abort();
  return 0;
}
