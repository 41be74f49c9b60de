// A row of the compiler's buffer tables.
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

}  // namespace lockstep
