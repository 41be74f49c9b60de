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
  const Error bad{where,
                  "record " + std::string(line.substr(0, 24)),
                  ":LLAAAATT data checksum in hexadecimal",
                  {}};
  if (line.size() < 11 || line[0] != ':' || line.size() % 2 == 0) return bad;
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 1; i < line.size(); i += 2) {
    std::uint8_t b = 0;
    if (std::from_chars(line.data() + i, line.data() + i + 2, b, 16).ptr != line.data() + i + 2)
      return bad;
    bytes.push_back(b);
  }
  unsigned sum = 0;
  for (const std::uint8_t b : bytes) sum += b;
  if (bytes.size() != bytes[0] + 5u || sum % 256 != 0) return bad;
  return Record{bytes[0],
                bytes[3],
                static_cast<std::uint16_t>(bytes[1] << 8 | bytes[2]),
                {bytes.begin() + 4, bytes.end() - 1}};
}

}  // namespace

Result<std::vector<NpuImage>> parse_intel_hex(std::string_view text, const std::string& file) {
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
    if ((r.type == 2 || r.type == 4) && r.data.size() == 2)
      upper = static_cast<std::uint64_t>(r.data[0] << 8 | r.data[1]) << (r.type == 4 ? 16 : 4);
    if (r.type == 0 && !r.data.empty()) runs[upper + r.address] = r.data;
  }
  if (!ended || runs.empty())
    return Error{file, "no end record", "a whole Intel HEX file", "the file is truncated"};
  std::vector<NpuImage> images;  // one for each run of bytes; small gaps are filled with zeros
  constexpr std::uint64_t gap = 4096;
  for (const auto& [address, data] : runs) {
    if (images.empty() || address > images.back().base + images.back().bytes.size() + gap)
      images.push_back({std::filesystem::path(file).filename().string(), address, {}});
    NpuImage& image = images.back();
    const std::uint64_t at = address - image.base;
    image.bytes.resize(std::max<std::size_t>(image.bytes.size(), at + data.size()));
    std::ranges::transform(data, image.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                           [](std::uint8_t b) { return static_cast<std::byte>(b); });
  }
  return images;
}

std::string format_intel_hex(std::span<const NpuImage> images) {
  std::string text;
  const auto record = [&](std::uint16_t address, std::uint8_t type,
                          std::span<const std::byte> data) {
    const unsigned place = address, kind = type;
    unsigned sum = static_cast<unsigned>(data.size()) + (place >> 8) + (place & 255u) + kind;
    text += fmt::format(":{:02X}{:04X}{:02X}", data.size(), place, kind);
    for (const std::byte b : data) {
      text += fmt::format("{:02X}", std::to_integer<unsigned>(b));
      sum += std::to_integer<unsigned>(b);
    }
    text += fmt::format("{:02X}\n", (0u - sum) & 255u);
  };
  for (const NpuImage& image : images) {
    std::uint64_t upper = ~std::uint64_t{0};
    for (std::size_t i = 0; i < image.bytes.size();) {
      const std::uint64_t address = image.base + i;
      if (address >> 16 != upper) {
        upper = address >> 16;
        const std::byte high[] = {static_cast<std::byte>(upper >> 8),
                                  static_cast<std::byte>(upper)};
        record(0, 4, high);
      }
      const std::size_t n =
          std::min<std::size_t>({16, image.bytes.size() - i, 65536 - address % 65536});
      record(static_cast<std::uint16_t>(address), 0, std::span(image.bytes).subspan(i, n));
      i += n;
    }
  }
  record(0, 1, {});
  return text;
}

namespace {

using Path = std::filesystem::path;

// Weight files beside the program: those that begin with its own name where there are any, without
// those of another network in the folder and without empty ones.
struct WeightFiles {
  std::vector<Path> found;
  std::string empty;  // one of its own without contents
};

bool is_of(const std::string& name, const std::string& stem) {
  return name.starts_with(stem + "_") || name.starts_with(stem + ".");
}

// The stem that a file belongs to: of net.c and net_b.c, net_b_atonbuf.raw is of net_b. Empty:
// none.
std::string owner_of(const std::string& name, const std::vector<std::string>& stems) {
  std::string longest;
  for (const std::string& stem : stems)
    if (is_of(name, stem) && stem.size() > longest.size()) longest = stem;
  return longest;
}

WeightFiles weight_files(const std::string& program, const std::string& folder) {
  std::vector<Path> all, own;
  WeightFiles files;
  std::error_code failed;
  const std::string stem = Path(program).stem().string();
  const std::string where = folder.empty() ? "." : folder;
  std::vector<std::string> stems = {stem};
  for (const auto& entry : std::filesystem::directory_iterator(where, failed))
    if (entry.path().extension() == ".c") stems.push_back(entry.path().stem().string());
  for (const auto& entry : std::filesystem::directory_iterator(where, failed)) {
    const std::string ending = entry.path().extension().string(),
                      name = entry.path().filename().string();
    if (ending != ".raw" && ending != ".bin" && ending != ".hex") continue;
    const std::string owner = owner_of(name, stems);
    const bool mine = owner == stem;
    if (entry.is_regular_file(failed) && entry.file_size(failed) == 0) {
      if (mine) files.empty = name;
    } else if (mine) {
      own.push_back(entry.path());
    } else if (owner.empty()) {
      all.push_back(entry.path());
    }
  }
  files.found = own.empty() ? all : own;
  std::ranges::sort(files.found);
  return files;
}

// The base of the memory whose postfix the file's name carries ("network_atonbuf.xSPI2.raw").
std::optional<std::uint64_t> base_by_postfix(const NpuProgram& program, const Path& path) {
  const std::string name = path.stem().string();
  for (const NpuPool& p : program.pools)
    if (!p.postfix.empty() && (name.ends_with("." + p.postfix) || name.ends_with("_" + p.postfix)))
      return p.base;
  return std::nullopt;
}

bool holds(const NpuImage& i, std::uint64_t address) {
  return address >= i.base && address < i.base + i.bytes.size();
}

bool covers(const NpuProgram& program, std::uint64_t base) {
  return std::ranges::any_of(program.images, [&](const NpuImage& i) { return holds(i, base); });
}

// Coefficients that units fetch from where no memory of the program is: a program that was read
// from blobs carries them beside its weights.
bool holds_coefficients(const NpuProgram& program, const NpuImage& i) {
  for (const NpuEpoch& e : program.epochs)
    for (const NpuUnit& u : e.units)
      for (const auto& [key, f] : u.fields)
        if (key.ends_with("_vector") && f.is == NpuField::Is::integer && f.integer > 0 &&
            holds(i, static_cast<std::uint64_t>(f.integer)) &&
            !covers(program, static_cast<std::uint64_t>(f.integer)))
          return true;
  return false;
}

Result<void> add_image(NpuProgram& program, const Path& path, std::uint64_t base) {
  LOCKSTEP_TRY(Bytes bytes, read_file(path.string(), std::uint64_t{1} << 28));
  program.images.push_back({path.filename().string(), base, std::move(bytes)});
  return {};
}

}  // namespace

Result<void> find_npu_images(NpuProgram& program, const std::string& folder) {
  std::map<std::uint64_t, std::uint64_t> first;  // memory, lowest address of a constant in it
  for (const NpuBuffer& b : program.buffers)
    if (b.is_param)
      first[b.base] = std::min(first.contains(b.base) ? first[b.base] : b.address(), b.address());
  if (first.empty()) return {};
  const WeightFiles files = weight_files(program.file, folder);
  const auto of_kind = [&](std::string_view ending) {
    std::vector<Path> some;
    for (const Path& p : files.found)
      if (p.extension() == ending) some.push_back(p);
    return some;
  };
  // The same weights often lie there in several forms: .raw counts before .bin before .hex.
  for (const std::string_view ending : {".raw", ".bin"})
    for (const auto& [base, low] : first) {
      if (covers(program, low)) continue;
      const std::vector<Path> some = of_kind(ending);
      std::vector<Path> fit;
      for (const Path& p : some)
        if (base_by_postfix(program, p) == base) fit.push_back(p);
      if (fit.empty() && first.size() == 1)
        for (const Path& p : some)
          if (!base_by_postfix(program, p)) fit.push_back(p);
      if (fit.size() > 1)
        return Error{program.file,
                     fmt::format("{} weight files for the memory at 0x{:08x}", fit.size(), base),
                     "one .raw, .bin or .hex beside the program",
                     "put the compilation's weights alone beside network.c"};
      if (fit.size() == 1) LOCKSTEP_CHECK(add_image(program, fit[0], base));
    }
  for (const Path& p : of_kind(".hex")) {
    if (std::ranges::all_of(first, [&](const auto& f) { return covers(program, f.second); })) break;
    LOCKSTEP_TRY(const Bytes bytes, read_file(p.string(), std::uint64_t{1} << 28));
    LOCKSTEP_TRY(
        std::vector<NpuImage> images,
        parse_intel_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, p.string()));
    for (NpuImage& i : images)
      if ((std::ranges::any_of(first, [&](const auto& f) { return holds(i, f.second); }) ||
           holds_coefficients(program, i)) &&
          !covers(program, i.base))
        program.images.push_back(std::move(i));
  }
  for (const auto& [base, low] : first)
    if (!covers(program, low))
      return Error{program.file,
                   fmt::format("no weights for the memory at 0x{:08x} among {} files{}", base,
                               files.found.size(),
                               files.empty.empty() ? "" : "; " + files.empty + " is empty"),
                   "one .raw, .bin or .hex beside the program",
                   "put the compilation's weights beside network.c"};
  return {};
}

}  // namespace lockstep
