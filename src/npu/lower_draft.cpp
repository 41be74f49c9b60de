#include "npu/lower_draft.h"

#include <algorithm>

#include <fmt/core.h>

namespace lockstep {
namespace {

constexpr std::uint64_t ram = 0x34200000, flash = 0x70180000;

NpuFields::mapped_type& field(NpuUnit& u, const char* name) {
  return u.fields[name];
}

}  // namespace

NpuFields npu_fields(std::initializer_list<std::pair<const char*, std::int64_t>> numbers,
                     std::initializer_list<std::pair<const char*, const char*>> names) {
  NpuFields f;
  for (const auto& [key, value] : numbers) f.insert_or_assign(key, NpuField::of(value));
  for (const auto& [key, value] : names) f.insert_or_assign(key, NpuField::of_name(value));
  return f;
}

void npu_clip(NpuFields& f, std::int64_t low, std::int64_t high) {
  if (low <= -128 && high >= 127) return;
  f["clipout"] = NpuField::of(1);
  f["clipmin"] = NpuField::of(low);
  f["clipmax"] = NpuField::of(high);
}

NpuDraft::NpuDraft(const std::string& file) {
  program_.file = file;
  program_.compiler = "lockstep";
  program_.images.push_back({"weights.bin", flash, {}});
}

int NpuDraft::add_buffer(NpuBuffer b) {
  b.epoch = epoch();
  const std::int64_t bytes = b.count() * (b.nbits / 8);
  b.start = 0, b.end = bytes, b.limit = bytes + 64;
  program_.buffers.push_back(std::move(b));
  const auto now = static_cast<std::size_t>(epoch());
  lives_.push_back({static_cast<std::size_t>(bytes), now, now});
  return static_cast<int>(program_.buffers.size()) - 1;
}

void NpuDraft::complete_now(int id) {
  program_.buffers[static_cast<std::size_t>(id)].epoch = epoch();
}

void NpuDraft::rename_buffer(int id, std::string name, const Shape& shape, std::string chpos) {
  NpuBuffer& b = program_.buffers[static_cast<std::size_t>(id)];
  for (NpuEpoch& e : program_.epochs)
    for (NpuUnit& u : e.units)
      if (u.buffer == b.name) u.buffer = name;
  b.name = std::move(name), b.shape = b.mem_shape = shape, b.chpos = std::move(chpos);
}

void NpuDraft::touch(int id) {
  LiveRange& life = lives_[static_cast<std::size_t>(id)];
  life.last = std::max(life.last, static_cast<std::size_t>(epoch()));
}

std::uint64_t NpuDraft::constant(std::span<const std::int64_t> values, int bytes) {
  Bytes& image = program_.images[0].bytes;
  image.resize((image.size() + 15) / 16 * 16);
  const std::uint64_t at = flash + image.size();
  for (const std::int64_t v : values)
    for (int k = 0; k < bytes; ++k)
      image.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(v) >> (8 * k)));
  return at;
}

void NpuDraft::parameter(const std::string& name, std::uint64_t address, std::int64_t bytes,
                         Shape shape, std::vector<double> scale, std::int64_t zero) {
  NpuBuffer b;
  b.name = name;
  b.base = flash;
  b.start = static_cast<std::int64_t>(address - flash);
  b.end = b.start + bytes, b.limit = b.end + 64;
  b.is_param = true;
  b.shape = b.mem_shape = std::move(shape);
  b.chpos = "CHPos_First", b.type = "DataType_INT8", b.qm = 7;
  b.per_channel = scale.size() > 1;
  b.zero.assign(scale.size(), zero);
  b.scale = std::move(scale);
  program_.buffers.push_back(std::move(b));
  lives_.push_back({0, 0, 0});
}

int NpuDraft::begin_epoch() {
  program_.epochs.emplace_back();
  return program_.epochs.back().number = epoch();
}

void NpuDraft::node(std::string name, std::string op) {
  program_.epochs.back().nodes.emplace_back(std::move(name), std::move(op));
}

std::string NpuDraft::unit_name(const std::string& node) const {
  return fmt::format("{}_init{}", node, epoch());
}

NpuUnitId NpuDraft::unit(NpuKind kind, const std::string& node, NpuFields fields) {
  NpuEpoch& e = program_.epochs.back();
  const auto taken =
      std::ranges::count_if(e.units, [&](const NpuUnit& u) { return u.id.kind == kind; });
  const NpuUnitId id{kind, static_cast<int>(taken)};
  e.units.push_back({id, unit_name(node), "", std::move(fields)});
  return id;
}

void NpuDraft::link(NpuUnitId from, NpuUnitId to, int port) {
  program_.epochs.back().links.push_back({{to, port}, {{1, 0, {from, 0}}}});
}

namespace {

NpuFields raster(const NpuWalk& w, bool writes, int bits, int bits_out) {
  const std::int64_t pixel = w.pixel != 0 ? w.pixel : w.depth * (bits / 8);
  return npu_fields({{"dir", writes},
                     {"fwidth", w.width},
                     {"fheight", w.height},
                     {"batch_depth", w.depth},
                     {"batch_offset", w.still ? 0 : pixel},
                     {"line_offset", w.line},
                     {"frame_offset", w.step},
                     {"frame_loop_cnt", w.step == 0 && w.count > 1 ? 1 : 0},
                     {"frame_tot_cnt", w.count},
                     {"align_right", bits_out > bits},
                     {"nbits_in", writes ? bits_out : bits},
                     {"nbits_out", writes ? bits : bits_out}});
}

}  // namespace

NpuUnitId NpuDraft::stream(int id, const NpuWalk& w, const std::string& node, bool writes, int bits,
                           int bits_out) {
  const NpuBuffer& b = buffer(id);
  NpuFields f = raster(w, writes, bits, bits_out);
  f["nbits_unsigned"] = NpuField::of(b.type == "DataType_UINT8");
  const std::string port =
      fmt::format("{}_dma_{}_{}", node, writes ? "out" : "in", program_.epochs.back().units.size());
  const NpuUnitId unit_id = unit(NpuKind::stream, port, std::move(f));
  NpuEpoch& e = program_.epochs.back();
  e.units.back().buffer = b.name;
  uses_.push_back({program_.epochs.size() - 1, e.units.size() - 1, id, w.offset, false});
  touch(id);
  return unit_id;
}

NpuUnitId NpuDraft::read(int id, const NpuWalk& walk, const std::string& node, int widened) {
  const int bits = buffer(id).nbits;
  return stream(id, walk, node, false, bits, widened > 0 ? widened : bits);
}

void NpuDraft::write(NpuUnitId from, int id, const NpuWalk& walk, const std::string& node) {
  const int bits = buffer(id).nbits;
  link(from, stream(id, walk, node, true, bits, bits));
}

NpuUnitId NpuDraft::read_constant(std::uint64_t address, std::int64_t bytes,
                                  const std::string& name, const std::string& node, int bits) {
  const auto start = static_cast<std::int64_t>(address - flash);
  const NpuUnitId id =
      unit(NpuKind::stream, fmt::format("{}_dma_in_{}", node, program_.epochs.back().units.size()),
           npu_fields({{"raw", 1},
                       {"continuous", 1},
                       {"addr_base", static_cast<std::int64_t>(flash)},
                       {"offset_start", start},
                       {"offset_end", start + bytes},
                       {"offset_limit", start + bytes + 64},
                       {"frame_tot_cnt", 1},
                       {"nbits_in", bits},
                       {"nbits_out", bits}}));
  program_.epochs.back().units.back().buffer = name;
  return id;
}

NpuUnitId NpuDraft::read_packed(int id, std::int64_t times, const std::string& node) {
  const NpuBuffer& b = buffer(id);
  const std::int64_t bytes = b.end - b.start;
  const std::string port = fmt::format("{}_dma_in_{}", node, program_.epochs.back().units.size());
  const NpuUnitId unit_id = unit(NpuKind::stream, port,
                                 npu_fields({{"raw", 1},
                                             {"raw_out", 1},
                                             {"nbits_unsigned", 1},
                                             {"offset_end", (bytes + 2) / 3 * 3},
                                             {"loop_offset", bytes},
                                             {"frame_loop_cnt", times},
                                             {"frame_tot_cnt", times},
                                             {"nbits_in", 24},
                                             {"nbits_out", 24}}));
  NpuEpoch& e = program_.epochs.back();
  e.units.back().buffer = b.name;
  uses_.push_back({program_.epochs.size() - 1, e.units.size() - 1, id, 0, false});
  touch(id);
  return unit_id;
}

NpuUnitId NpuDraft::read_parameter(std::uint64_t address, std::int64_t bytes, const NpuWalk& walk,
                                   const std::string& name, const std::string& node) {
  const auto start = static_cast<std::int64_t>(address - flash);
  NpuFields f = raster(walk, false, 8, 8);
  f["addr_base"] = NpuField::of(static_cast<std::int64_t>(flash));
  f["offset_start"] = NpuField::of(start);
  f["offset_limit"] = NpuField::of(start + bytes + 64);
  const NpuUnitId id =
      unit(NpuKind::stream, fmt::format("{}_dma_in_{}", node, program_.epochs.back().units.size()),
           std::move(f));
  program_.epochs.back().units.back().buffer = name;
  return id;
}

NpuUnitId NpuDraft::read_table(std::uint64_t address, std::int64_t row, std::int64_t rows,
                               std::int64_t times, const std::string& node) {
  const auto start = static_cast<std::int64_t>(address - flash);
  return unit(NpuKind::stream,
              fmt::format("{}_dma_in_{}", node, program_.epochs.back().units.size()),
              npu_fields({{"raw", 1},
                          {"align_right", 1},
                          {"addr_base", static_cast<std::int64_t>(flash)},
                          {"offset_start", start},
                          {"offset_end", start + row},
                          {"offset_limit", start + row * rows + 64},
                          {"loop_offset", row},
                          {"frame_loop_cnt", times},
                          {"frame_tot_cnt", times * rows},
                          {"nbits_in", 16},
                          {"nbits_out", 16}}));
}

void NpuDraft::call(const std::string& function, int from, int to,
                    std::vector<std::string> arguments) {
  NpuEpoch& e = program_.epochs.back();
  const auto add = [&](const char* name, int id) {
    uses_.push_back({program_.epochs.size() - 1, e.calls.size(), id, 0, true});
    e.calls.push_back({name, {}});
    touch(id);
  };
  add("LL_ATON_Cache_MCU_Invalidate_Range", from);
  add("LL_ATON_Cache_MCU_Invalidate_Range", to);
  e.calls.push_back({function, std::move(arguments)});
  add("LL_ATON_Cache_MCU_Clean_Range", to);
}

void NpuDraft::describe(const std::string& name, std::string type, NpuFields info,
                        const std::vector<std::pair<std::string, int>>& tensors) {
  NpuTable table{std::move(type), {}, {}};
  table.rows.push_back(std::move(info));
  program_.epochs.back().tables.insert_or_assign(name, std::move(table));
  for (const auto& [tensor, id] : tensors)
    described_.push_back({program_.epochs.size() - 1, name, tensor, id});
}

Result<NpuProgram> NpuDraft::finish() && {
  for (const int id : kept_) lives_[static_cast<std::size_t>(id)].last = program_.epochs.size() + 1;
  const ArenaPlan plan = plan_arena(lives_, 32);
  constexpr std::size_t most = std::size_t{1} << 28;
  if (plan.bytes > most)
    return Error{
        program_.file, fmt::format("{} bytes of activations", plan.bytes), "at most 2^28", {}};
  for (std::size_t i = 0; i < program_.buffers.size(); ++i) {
    NpuBuffer& b = program_.buffers[i];
    if (b.is_param) continue;
    const auto at = static_cast<std::int64_t>(plan.offsets[i]);
    b.base = ram, b.start += at, b.end += at, b.limit += at;
  }
  for (const Use& u : uses_) {
    const NpuBuffer& b = buffer(u.buffer);
    NpuEpoch& e = program_.epochs[u.epoch];
    if (u.is_call) {
      e.calls[u.unit].arguments = {
          fmt::format("((uintptr_t)(ATON_LIB_PHYSICAL_TO_VIRTUAL_ADDR(0x{:08x}UL + {})))", b.base,
                      b.start),
          fmt::format("{}", (b.bytes() + 31) / 32 * 32)};
      continue;
    }
    NpuUnit& unit = e.units[u.unit];
    field(unit, "addr_base") = NpuField::of(static_cast<std::int64_t>(ram));
    field(unit, "offset_start") = NpuField::of(b.start + u.offset);
    if (unit.fields.contains("offset_end"))
      field(unit, "offset_end") = NpuField::of(b.start + unit.fields["offset_end"].integer);
    field(unit, "offset_limit") = NpuField::of(b.limit);
  }
  for (const Described& u : described_)
    program_.epochs[u.epoch].tables.at(u.table).rows[0][u.tensor + ".mem.start_offset"] =
        NpuField::of(static_cast<std::int64_t>(buffer(u.buffer).address()));
  const std::size_t bytes = (plan.bytes + 4095) / 4096 * 4096 + 64;
  program_.pools = {{"npuRAM", ram, bytes, false, ""},
                    {"octoFlash", flash, program_.images[0].bytes.size() + 64, true, ""}};
  return std::move(program_);
}

}  // namespace lockstep
