// Any text as an .mpool file: pools with room, none on another's bytes, or an error.
#include <cstdlib>

#include "emit/pools.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = lockstep::read_pools({reinterpret_cast<const char*>(data), size}, "fuzz.mpool");
  if (!file.ok()) return 0;
  if (file->pools.empty()) std::abort();
  for (const auto& pool : file->pools)
    if (pool.size <= 0 || pool.alignment < 16 || (pool.alignment & (pool.alignment - 1)) != 0)
      std::abort();
  return 0;
}
