#pragma once

#include <cstddef>
#include <cstring>
#include <span>

namespace lockstep {

// All of `from` to `to`, in one call: the library's own algorithms walk spans of bytes one by one.
inline void copy_bytes(std::span<const std::byte> from, std::byte* to) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

}  // namespace lockstep
