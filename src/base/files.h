#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lockstep {

using Bytes = std::vector<std::byte>;

// The whole file, at most `limit` bytes. Errors: absent, a folder, unreadable, larger than the
// limit.
Result<Bytes> read_file(const std::string& path, std::uint64_t limit = std::uint64_t{1} << 31);

// Writes to a temporary name beside `path` and renames: no reader ever sees half a file, and a
// failure leaves nothing behind.
Result<void> write_file(const std::string& path, std::span<const std::byte> bytes);
Result<void> write_file(const std::string& path, std::string_view text);

bool file_exists(const std::string& path);
bool folder_exists(const std::string& path);
// Path names for temporary output beside `path`; the caller renames it with `publish_file`.
std::string temporary_beside(const std::string& path);
Result<void> publish_file(const std::string& temporary, const std::string& path);

}  // namespace lockstep
