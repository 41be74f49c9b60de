#include "npu/images.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/core.h>

namespace lockstep {
namespace {

struct Record {
  std::uint8_t count = 0, type = 0;
  std::uint16_t address = 0;
  std::vector<std::uint8_t> data;
};

Result<Record> record_of(std::string_view line, const std::string& where) {
  const Error bad{where, "record " + std::string(line.substr(0, 24)), ":LLAAAATT data checksum in hexadecimal", {}};
  if (line.size() < 11 || line[0] != ':' || line.size() % 2 == 0) return bad;
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 1; i < line.size(); i += 2) {
    std::uint8_t b = 0;
    if (std::from_chars(line.data() + i, line.data() + i + 2, b, 16).ptr != line.data() + i + 2) return bad;
    bytes.push_back(b);
  }
  unsigned sum = 0;
  for (const std::uint8_t b : bytes) sum += b;
  if (bytes.size() != bytes[0] + 5u || sum % 256 != 0) return bad;
  return Record{bytes[0], bytes[3], static_cast<std::uint16_t>(bytes[1] << 8 | bytes[2]), {bytes.begin() + 4, bytes.end() - 1}};
}

}  // namespace

Result<NpuImage> parse_intel_hex(std::string_view text, const std::string& file) {
  std::map<std::uint64_t, std::vector<std::uint8_t>> runs;
  std::uint64_t upper = 0;
  int line_number = 0;
  bool ended = false;
  while (!text.empty() && !ended) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty()) continue;
    LOCKSTEP_TRY(const Record r, record_of(line, fmt::format("{}: line {}", file, line_number)));
    if (r.type == 1) ended = true;
    if ((r.type == 2 || r.type == 4) && r.data.size() == 2) upper = static_cast<std::uint64_t>(r.data[0] << 8 | r.data[1]) << (r.type == 4 ? 16 : 4);
    if (r.type == 0) runs[upper + r.address] = r.data;
  }
  if (!ended || runs.empty()) return Error{file, "no end record", "a whole Intel HEX file", "the file is truncated"};
  NpuImage image{std::filesystem::path(file).filename().string(), runs.begin()->first, {}};
  for (const auto& [address, data] : runs) {
    const std::uint64_t at = address - image.base;
    if (at > image.bytes.size() + (std::uint64_t{1} << 24)) return Error{file, fmt::format("a gap before 0x{:08x}", address), "one image", {}};
    image.bytes.resize(std::max<std::size_t>(image.bytes.size(), at + data.size()));
    std::ranges::transform(data, image.bytes.begin() + static_cast<std::ptrdiff_t>(at), [](std::uint8_t b) { return static_cast<std::byte>(b); });
  }
  return image;
}

Result<void> find_npu_images(NpuProgram& program, const std::string& folder) {
  std::set<std::uint64_t> bases;
  for (const NpuBuffer& b : program.buffers)
    if (b.is_param) bases.insert(b.base);
  if (bases.empty()) return {};
  std::vector<std::filesystem::path> found;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder.empty() ? "." : folder, failed)) {
    const std::string ending = entry.path().extension().string();
    if (ending == ".raw" || ending == ".bin" || ending == ".hex") found.push_back(entry.path());
  }
  std::ranges::sort(found);
  // The same weights often lie there in several forms: one stem counts once, .raw before .bin before .hex.
  const std::vector<std::filesystem::path> all = found;
  const auto better = [&](const std::filesystem::path& p) {
    return std::ranges::any_of(all, [&](const auto& o) {
      return o.stem() == p.stem() && ((p.extension() == ".hex" && o.extension() != ".hex") || (p.extension() == ".bin" && o.extension() == ".raw"));
    });
  };
  std::erase_if(found, better);
  if (found.size() != 1 || bases.size() != 1)
    return Error{program.file, fmt::format("{} weight files for {} memories", found.size(), bases.size()), "one .raw, .bin or .hex beside the program", "put the compilation's weights alone beside network.c"};
  LOCKSTEP_TRY(Bytes bytes, read_file(found[0].string(), std::uint64_t{1} << 28));
  if (found[0].extension() == ".hex") {
    LOCKSTEP_TRY(NpuImage image, parse_intel_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, found[0].string()));
    program.images.push_back(std::move(image));
  } else {
    program.images.push_back({found[0].filename().string(), *bases.begin(), std::move(bytes)});
  }
  return {};
}

}  // namespace lockstep
