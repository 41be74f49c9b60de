#include "base/files.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace lockstep {
namespace fs = std::filesystem;

namespace {
std::string reason() {
  return std::strerror(errno);
}
}  // namespace

bool file_exists(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool folder_exists(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

Result<Bytes> read_file(const std::string& path, std::uint64_t limit) {
  std::error_code failure;
  if (folder_exists(path)) return Error{path, "is a folder", "a file", ""};
  const auto size = fs::file_size(path, failure);
  if (failure) return Error{path, failure.message(), "a readable file", "check the path"};
  if (size > limit)
    return Error{path, std::to_string(size) + " bytes",
                 "at most " + std::to_string(limit) + " bytes", ""};
  std::ifstream in(path, std::ios::binary);
  Bytes bytes(size);
  if (!in || (size > 0 &&
              !in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))))
    return Error{path, "cannot be read: " + reason(), "a readable file", ""};
  return bytes;
}

std::string temporary_beside(const std::string& path) {
  return path + ".part" + std::to_string(::getpid());
}

Result<void> publish_file(const std::string& temporary, const std::string& path) {
  std::error_code failure;
  fs::rename(temporary, path, failure);
  if (!failure) return {};
  std::error_code ignored;
  fs::remove(temporary, ignored);
  return Error{path, "cannot be written: " + failure.message(), "a writable place", ""};
}

Result<void> write_file(const std::string& path, std::span<const std::byte> bytes) {
  const std::string temporary = temporary_beside(path);
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    out.flush();
    if (!out) {
      Error error{path, "cannot be written: " + reason(), "a writable place", ""};
      std::error_code ignored;
      fs::remove(temporary, ignored);
      return error;
    }
  }
  return publish_file(temporary, path);
}

Result<void> write_file(const std::string& path, std::string_view text) {
  return write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace lockstep
