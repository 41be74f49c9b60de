// NumPy's .npz: a zip archive whose members are .npy files.
#include "base/npy.h"

#include <zip.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

namespace lockstep {

namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 32;  // of all members together, unpacked
constexpr std::uint64_t most_text = std::uint64_t{1} << 24;
constexpr std::uint64_t most_members = 1 << 16;
constexpr std::uint64_t deflate_ratio = 1040;  // deflate cannot pack tighter than 1032 : 1

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

std::string message_of(zip_error_t& error) {
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

Error damaged(const std::string& where, std::string what) {
  return {where, std::move(what), "an undamaged archive", "write it again with numpy.savez"};
}

// A member's bytes. No size in the archive is believed: memory grows with what really unpacks.
Result<Bytes> read_member(zip_t* archive, zip_uint64_t index, const zip_stat_t& stat,
                          const std::string& where) {
  constexpr std::uint64_t first_step = 1 << 16;
  if (stat.size > stat.comp_size * deflate_ratio + 64)
    return damaged(
        where, std::to_string(stat.size) + " bytes claimed from " + std::to_string(stat.comp_size));
  std::unique_ptr<zip_file_t, Discard> file(zip_fopen_index(archive, index, 0));
  if (!file) return damaged(where, zip_strerror(archive));
  Bytes bytes;
  while (bytes.size() < stat.size) {
    const std::uint64_t have = bytes.size(), step = std::max<std::uint64_t>(have, first_step);
    bytes.resize(have + std::min<std::uint64_t>(stat.size - have, step));
    const zip_int64_t n = zip_fread(file.get(), bytes.data() + have, bytes.size() - have);
    if (n <= 0) return damaged(where, n < 0 ? zip_file_strerror(file.get()) : "cut off");
    bytes.resize(have + static_cast<std::uint64_t>(n));
  }
  std::byte beyond;  // reading up to the end is what makes the library check the CRC
  if (zip_fread(file.get(), &beyond, 1) != 0) return damaged(where, "checksum or length is wrong");
  return bytes;
}

// Text that numpy.savez wrote as a byte string, as it does with a text
// member that numpy.load gave it.
std::optional<std::string> saved_text(const Bytes& bytes) {
  constexpr std::size_t fixed = 10;
  if (bytes.size() < fixed || bytes[6] != std::byte{1}) return std::nullopt;
  const std::size_t begin =
      fixed + std::to_integer<std::size_t>(bytes[8]) + 256 * std::to_integer<std::size_t>(bytes[9]);
  if (begin > bytes.size()) return std::nullopt;
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string_view header = all.substr(fixed, begin - fixed);
  if (header.find("'|S") == header.npos || header.find("'shape': ()") == header.npos)
    return std::nullopt;
  return std::string(all.substr(begin));
}

Result<NpzFile> read_archive(zip_t* archive, std::uint64_t archive_bytes, const std::string& path) {
  const zip_int64_t entries = zip_get_num_entries(archive, 0);
  if (entries <= 0) return damaged(path, "an archive without members");
  if (static_cast<std::uint64_t>(entries) > most_members)
    return damaged(path, std::to_string(entries) + " members");
  NpzFile npz;
  std::uint64_t total = 0, packed = 0;
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(entries); ++i) {
    zip_stat_t stat;
    constexpr auto needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    if (zip_stat_index(archive, i, 0, &stat) != 0 || (stat.valid & needed) != needed)
      return damaged(path, "member " + std::to_string(i) + " has no name or size");
    std::string name = stat.name;
    const std::string where = path + ": " + name;
    if (name.ends_with('/')) continue;
    if (stat.size > most_bytes - std::min(total, most_bytes))
      return Error{where, std::to_string(stat.size) + " bytes unpacked", "at most 4 GB in all", ""};
    total += stat.size;
    if (stat.comp_size > archive_bytes - packed)
      return damaged(
          where, std::to_string(stat.comp_size) + " packed bytes, more than the archive has left");
    packed += stat.comp_size;
    const bool array = name.ends_with(".npy");
    if (!array && stat.size > most_text)
      return Error{where, "a member that is not .npy", ".npy arrays", "write it with numpy.savez"};
    LOCKSTEP_TRY(const Bytes bytes, read_member(archive, i, stat, where));
    if (array) {
      name.resize(name.size() - 4);
      if (auto text = saved_text(bytes)) {
        npz.texts.emplace_back(std::move(name), std::move(*text));
        continue;
      }
      LOCKSTEP_TRY(NpyArray value, parse_npy(bytes, where));
      npz.members.emplace_back(std::move(name), std::move(value));
    } else {
      npz.texts.emplace_back(
          std::move(name), std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    }
  }
  return npz;
}

Error cannot_write(const std::string& path, const std::string& why) {
  return {path, "cannot be written: " + why, "a writable place", ""};
}

}  // namespace

Result<NpzFile> parse_npz(std::span<const std::byte> bytes, const std::string& where) {
  if (bytes.empty()) return Error{where, "an empty file", "arrays written by numpy.savez", ""};
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (!source) return damaged(where, message_of(error));
  std::unique_ptr<zip_t, Discard> archive(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (!archive) {
    zip_source_free(source);
    const bool begun =
        bytes.size() >= 2 && bytes[0] == std::byte{'P'} && bytes[1] == std::byte{'K'};
    return Error{
        where, "not an .npz archive: " + message_of(error), "arrays written by numpy.savez",
        begun ? "it begins as one and lacks its end: cut off while it was written or copied" : ""};
  }
  zip_error_fini(&error);
  return read_archive(archive.get(), bytes.size(), where);
}

Result<NpzFile> read_npz_file(const std::string& path) {
  LOCKSTEP_TRY(const Bytes bytes, read_file(path));
  return parse_npz(bytes, path);
}

Result<NpzMembers> read_npz(const std::string& path) {
  LOCKSTEP_TRY(NpzFile npz, read_npz_file(path));
  return std::move(npz.members);
}

Result<void> write_npz(const std::string& path, const NpzMembers& members, const NpzTexts& texts) {
  NpzTexts all;  // every member as bytes; they must outlive the closing of the archive
  for (const auto& [name, array] : members) {
    const Bytes bytes = format_npy(array);
    all.emplace_back(name + ".npy",
                     std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  all.insert(all.end(), texts.begin(), texts.end());
  const std::string temporary = temporary_beside(path);
  int code = 0;
  std::unique_ptr<zip_t, Discard> archive(
      zip_open(temporary.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (!archive) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    return cannot_write(path, message_of(error));
  }
  for (const auto& [name, bytes] : all) {
    zip_source_t* source = zip_source_buffer(archive.get(), bytes.data(), bytes.size(), 0);
    const zip_int64_t index = source ? zip_file_add(archive.get(), name.c_str(), source,
                                                    ZIP_FL_OVERWRITE | ZIP_FL_ENC_UTF_8)
                                     : -1;
    if (index < 0) {
      if (source) zip_source_free(source);
      return cannot_write(path, zip_strerror(archive.get()));
    }
    const auto at = static_cast<zip_uint64_t>(index);
    zip_set_file_compression(archive.get(), at, ZIP_CM_DEFLATE, 1);
    zip_file_set_dostime(archive.get(), at, 0, (20 << 9) | (1 << 5) | 1,
                         0);  // 2000-01-01: same bytes every time
  }
  if (zip_close(archive.get()) != 0) return cannot_write(path, zip_strerror(archive.get()));
  (void)archive.release();
  return publish_file(temporary, path);
}

}  // namespace lockstep
