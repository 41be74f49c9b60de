// A row of the compiler's buffer tables; names of stream engines by the addresses that they touch.
#include <algorithm>

#include <fmt/core.h>

#include "npu/network_c.h"

namespace lockstep {

Result<NpuBuffer> npu_buffer_from(const NpuFields& row, const NpuTableLookup& table,
                                  const std::string& at) {
  const auto array = [&](std::string_view key) -> Result<std::vector<NpuField>> {
    const auto it = row.find(key);
    if (it == row.end() || (it->second.is == NpuField::Is::integer && it->second.integer == 0))
      return std::vector<NpuField>();
    if (it->second.is == NpuField::Is::list) return it->second.list;
    return table(it->second.name);
  };
  const auto integer = [&](std::string_view key) {
    const auto it = row.find(key);
    return it == row.end() ? std::int64_t{0} : it->second.integer;
  };
  const auto word = [&](std::string_view key) {
    const auto it = row.find(key);
    return it == row.end() ? std::string() : it->second.name;
  };
  NpuBuffer b;
  b.name = word("name");
  const auto base = row.find("addr_base");
  const std::int64_t address =
      base != row.end() && base->second.is == NpuField::Is::list && !base->second.list.empty()
          ? base->second.list[0].integer
          : integer("addr_base");
  b.base = static_cast<std::uint64_t>(address);
  b.start = integer("offset_start"), b.end = integer("offset_end"),
  b.limit = integer("offset_limit");
  if (address < 0 || b.start < 0 || b.end < b.start || b.end > (std::int64_t{1} << 32))
    return Error{at,
                 fmt::format("{} from {} to {}", b.name, b.start, b.end),
                 "offsets in order, below 4 GB",
                 {}};
  b.user_allocated = integer("is_user_allocated") != 0;
  b.is_param = integer("is_param") != 0;
  b.epoch = static_cast<int>(integer("epoch"));
  b.batch = static_cast<int>(integer("batch"));
  b.nbits = static_cast<int>(integer("nbits"));
  b.qm = static_cast<int>(integer("Qm")), b.qn = static_cast<int>(integer("Qn"));
  b.q_unsigned = integer("Qunsigned") != 0;
  b.per_channel = integer("per_channel") != 0;
  b.chpos = word("chpos"), b.type = word("type");
  LOCKSTEP_TRY(const auto shape, array("shape"));
  LOCKSTEP_TRY(const auto mem, array("mem_shape"));
  LOCKSTEP_TRY(const auto scale, array("scale"));
  LOCKSTEP_TRY(const auto zero, array("offset"));
  for (const NpuField& f : shape) b.shape.push_back(f.integer);
  for (const NpuField& f : mem) b.mem_shape.push_back(f.integer);
  for (const NpuField& f : scale) b.scale.push_back(f.number());
  for (const NpuField& f : zero) b.zero.push_back(f.integer);
  LOCKSTEP_TRY([[maybe_unused]] const auto n, checked_count(b.shape, b.name));
  LOCKSTEP_TRY([[maybe_unused]] const auto m, checked_count(b.mem_shape, b.name));
  return b;
}

namespace {

std::int64_t value_of(const NpuUnit& u, std::string_view field) {
  const auto it = u.fields.find(field);
  return it == u.fields.end() ? 0 : it->second.integer;
}

// The buffer that begins where a stream does: made by this epoch when it writes, else the latest
// before.
const NpuBuffer* touched(const NpuProgram& p, const NpuUnit& u, int epoch) {
  const auto address =
      static_cast<std::uint64_t>(value_of(u, "addr_base") + value_of(u, "offset_start"));
  const bool writes = value_of(u, "dir") == 1;
  const NpuBuffer* best = nullptr;
  for (const NpuBuffer& b : p.buffers) {
    if (b.address() != address || b.name.starts_with("SCRATCH_")) continue;
    if (b.is_param) return &b;
    const bool fits = writes ? b.epoch == epoch : b.epoch < epoch;
    if (fits && (!best || b.epoch >= best->epoch)) best = &b;
  }
  return best;
}

}  // namespace

void name_npu_streams(NpuProgram& program) {
  for (NpuEpoch& e : program.epochs) {
    for (NpuUnit& u : e.units)
      if (u.id.kind == NpuKind::stream && u.buffer.empty())
        if (const NpuBuffer* b = touched(program, u, e.number)) u.buffer = b->name;
    // A convolution without a name of its own takes that of its weights: "Conv2D_17_weights".
    for (NpuUnit& u : e.units) {
      if (u.id.kind != NpuKind::conv || u.name.find("_epoch_") == std::string::npos) continue;
      for (const NpuLink& l : e.links)
        if (l.to.unit == u.id && l.to.port == 1)
          for (const NpuUnit& s : e.units)
            if (const std::size_t at = s.buffer.find("_weights");
                s.id == l.from[0].source.unit && at != std::string::npos) {
              u.name = fmt::format("{}_init{}", s.buffer.substr(0, at), e.number);
              if (e.nodes.empty()) e.nodes.emplace_back(s.buffer.substr(0, at), "Conv");
            }
    }
  }
}

}  // namespace lockstep
