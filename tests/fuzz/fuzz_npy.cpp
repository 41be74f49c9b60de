// Any bytes: an array whose bytes are as many as its shape and type say, or an error.
#include <cstdlib>

#include "base/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto array = lockstep::parse_npy(bytes, "fuzz.npy");
  if (!array.ok()) return 0;
  std::uint64_t needed = lockstep::size_of(array->dtype);
  for (const auto extent : array->shape) needed *= static_cast<std::uint64_t>(extent);
  if (array->bytes.size() != needed) std::abort();
  const auto again = lockstep::parse_npy(lockstep::format_npy(*array), "fuzz.npy");
  if (!again.ok() || again->bytes != array->bytes || again->shape != array->shape) std::abort();
  return 0;
}
