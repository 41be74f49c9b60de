#include "npu/program.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>

#include <fmt/core.h>

#include "npu/network_c.h"

namespace lockstep {
namespace {

struct KindName {
  NpuKind kind;
  std::string_view name, other;
};
constexpr KindName kinds[] = {
    {NpuKind::stream, "STRENG", "STRENG"}, {NpuKind::conv, "CONVACC", "CONVACC"},
    {NpuKind::arith, "ARITH", "ARITHACC"}, {NpuKind::pool, "POOL", "POOLACC"},
    {NpuKind::activ, "ACTIV", "ACTIVACC"}, {NpuKind::decompress, "DECUN", "DECUN"},
    {NpuKind::recbuf, "RECBUF", "RECBUF"},
};

}  // namespace

std::string_view name_of(NpuKind kind) {
  for (const KindName& k : kinds)
    if (k.kind == kind) return k.name;
  return "?";
}

std::optional<NpuKind> npu_kind_named(std::string_view name) {
  for (const KindName& k : kinds)
    if (k.name == name || k.other == name) return k.kind;
  return std::nullopt;
}

std::string text_of(const NpuUnitId& unit) {
  return fmt::format("{} {}", name_of(unit.kind), unit.id);
}

const NpuBuffer* NpuProgram::find_buffer(std::string_view name) const {
  const auto it = std::ranges::find(buffers, name, &NpuBuffer::name);
  return it == buffers.end() ? nullptr : &*it;
}

const NpuEpoch* NpuProgram::find_epoch(int number) const {
  const auto it = std::ranges::find(epochs, number, &NpuEpoch::number);
  return it == epochs.end() ? nullptr : &*it;
}

std::vector<const NpuBuffer*> NpuProgram::made_by(int epoch) const {
  // Data movement lists what it reads beside what it makes, under these names.
  const auto is_read = [](const NpuBuffer& b) {
    const std::string_view name = b.name;
    const std::string_view stem = name.substr(0, name.find_last_not_of("0123456789") + 1);
    return stem.ends_with("_inserted_in") || stem.ends_with("_copy_in_");
  };
  std::vector<const NpuBuffer*> made;
  for (const NpuBuffer& b : buffers)
    if (b.epoch == epoch && !b.is_param && !b.name.starts_with("SCRATCH_") && !is_read(b))
      made.push_back(&b);
  return made;
}

std::optional<std::uint64_t> npu_address(std::string_view text) {
  const std::size_t at = text.find("0x");
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t address = 0;
  const char* end = text.data() + text.size();
  auto [p, failed] = std::from_chars(text.data() + at + 2, end, address, 16);
  if (failed != std::errc{}) return std::nullopt;
  while (p != end && (std::isalpha(static_cast<unsigned char>(*p)) || *p == ' ')) ++p;
  if (p == end || *p != '+') return address;
  for (++p; p != end && *p == ' ';) ++p;
  std::uint64_t more = 0;
  if (std::from_chars(p, end, more).ec != std::errc{}) return std::nullopt;
  return address + more;
}

Result<void> load_npu_images(NpuProgram& program, const std::string& folder) {
  for (NpuImage& image : program.images) {
    if (!image.bytes.empty()) continue;
    const std::string path = (std::filesystem::path(folder) / image.file).string();
    LOCKSTEP_TRY(image.bytes, read_file(path, std::uint64_t{1} << 28));
  }
  return {};
}

Result<NpuProgram> read_npu_program(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const auto with_epochs = [&](NpuProgram p) -> Result<NpuProgram> {
    if (p.epochs.empty()) return Error{path, "no epochs", "a compiled network", {}};
    return p;
  };
  if (path.ends_with(".c")) {
    LOCKSTEP_TRY(NpuProgram program, read_network_c(path));
    return with_epochs(std::move(program));
  }
  LOCKSTEP_TRY(const Bytes bytes, read_file(path, std::uint64_t{1} << 28));
  LOCKSTEP_TRY(NpuProgram program,
               parse_npu_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path));
  LOCKSTEP_CHECK(load_npu_images(program, folder));
  return with_epochs(std::move(program));
}

}  // namespace lockstep
