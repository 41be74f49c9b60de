#include "npu/seeded_places.h"

namespace lockstep::seeded {

std::optional<int> output_moved(NpuProgram& p, Random& r) {
  return add_to(p, r, "offset_start", 64, [](const NpuEpoch&, const NpuUnit& u) {
    return u.id.kind == NpuKind::stream && value(u, "dir") == 1 && value(u, "raw") == 0;
  });
}
std::optional<int> output_lines(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) {
    return u.id.kind == NpuKind::stream && value(u, "dir") == 1 && value(u, "raw") == 0 &&
           value(u, "fwidth") > 1 && value(u, "batch_offset") > 8;
  });
  if (!at) return std::nullopt;
  set(*at->unit, "batch_offset", value(*at->unit, "batch_offset") / 2);
  return at->epoch->number;
}
namespace {

std::optional<int> drop_calls(NpuProgram& p, std::string_view kind, int from, int to) {
  for (NpuEpoch& e : p.epochs)
    if (e.number >= from && e.number <= to)
      std::erase_if(e.calls,
                    [&](const NpuCall& c) { return c.function.find(kind) != std::string::npos; });
  return std::nullopt;
}

}  // namespace

std::optional<int> no_invalidate(NpuProgram& p, Random& r) {
  std::vector<int> cpu;
  for (const NpuEpoch& e : p.epochs)
    if (!e.hardware() &&
        std::ranges::any_of(e.calls,
                            [](const NpuCall& c) { return c.function.starts_with("ll_sw_"); }) &&
        p.find_epoch(e.number - 1) && p.find_epoch(e.number - 1)->hardware())
      cpu.push_back(e.number);
  if (cpu.empty()) return std::nullopt;
  const int at = cpu[static_cast<std::size_t>(r.between(0, static_cast<int>(cpu.size()) - 1))];
  drop_calls(p, "nvalidate", 0, at);
  return at;
}
namespace {

// Bytes of the constants at an address; null outside of them.
std::byte* constant(NpuProgram& p, std::uint64_t address) {
  for (NpuImage& i : p.images)
    if (address >= i.base && address - i.base < i.bytes.size()) return &i.bytes[address - i.base];
  return nullptr;
}

}  // namespace

std::optional<int> other_weights(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, constants);
  if (!at) return std::nullopt;
  const auto from =
      static_cast<std::uint64_t>(value(*at->unit, "addr_base") + value(*at->unit, "offset_start"));
  for (std::uint64_t a = from + 1; a < from + 6; ++a)
    if (std::byte* b = constant(p, a)) *b ^= std::byte{0x5a};
  return at->epoch->number;
}
std::optional<int> multiplier_lost(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) { return by_channel(u); });
  if (!at) return std::nullopt;
  const auto table = static_cast<std::uint64_t>(value(*at->unit, "A_vector"));
  std::uint64_t largest = table;
  int most = 0;
  for (std::int64_t k = 0; k < value(*at->unit, "fChannels"); ++k) {
    const std::uint64_t a = table + static_cast<std::uint64_t>(2 * k);
    const std::byte* high = constant(p, a + 1);
    if (high && std::to_integer<int>(*high) < 128 && std::to_integer<int>(*high) > most)
      most = std::to_integer<int>(*high), largest = a;
  }
  for (const std::uint64_t a : {largest, largest + 1})
    if (std::byte* b = constant(p, a)) *b = std::byte{0};
  return most > 0 ? std::optional(at->epoch->number) : std::nullopt;
}

namespace {

bool reads(const NpuUnit& u, const std::string& buffer) {
  return u.id.kind == NpuKind::stream && value(u, "dir") == 0 && u.buffer == buffer;
}
int last_reader(const NpuProgram& p, const NpuBuffer& b) {
  int last = -1;
  for (const NpuEpoch& e : p.epochs)
    for (const NpuUnit& u : e.units)
      if (reads(u, b.name)) last = e.number;
  return last;
}
// Nothing but streams that say b's name reads its bytes while it lives.
bool reads_by_name_only(const NpuProgram& p, const NpuBuffer& b) {
  const int last = last_reader(p, b);
  for (const NpuEpoch& e : p.epochs) {
    if (e.number <= b.epoch || e.number > last) continue;
    if (!e.hardware()) return false;
    for (const NpuUnit& u : e.units)
      if (u.id.kind == NpuKind::stream && u.buffer != b.name)
        if (const auto at =
                static_cast<std::uint64_t>(value(u, "addr_base") + value(u, "offset_start"));
            at >= b.address() && at < b.address() + static_cast<std::uint64_t>(b.bytes()))
          return false;
  }
  return last > b.epoch && std::ranges::none_of(p.buffers, [&](const NpuBuffer& o) {
           return &o != &b && o.epoch == b.epoch && !o.is_param && o.start < b.end &&
                  b.start < o.end && o.base == b.base;
         });
}

}  // namespace

// A tensor is put, in its table and its streams alike, onto one that is still to be read.
std::optional<int> shared_place(NpuProgram& p, Random& r) {
  struct Move {
    NpuBuffer* what;
    const NpuBuffer* onto;
  };
  std::vector<Move> moves;
  for (NpuBuffer& b : p.buffers) {
    const NpuEpoch* e = p.find_epoch(b.epoch);
    if (b.is_param || !e || !e->hardware() || !reads_by_name_only(p, b)) continue;
    for (const NpuBuffer& x : p.buffers)
      if (!x.is_param && x.epoch < b.epoch && x.base == b.base && x.bytes() >= b.bytes() &&
          last_reader(p, x) > b.epoch && (x.end <= b.start || b.end <= x.start))
        moves.push_back({&b, &x});
  }
  if (moves.empty()) return std::nullopt;
  const Move m = moves[static_cast<std::size_t>(r.between(0, static_cast<int>(moves.size()) - 1))];
  const std::int64_t by = m.onto->start - m.what->start;
  for (NpuEpoch& e : p.epochs)
    for (NpuUnit& u : e.units)
      if (u.id.kind == NpuKind::stream && u.buffer == m.what->name) {
        const char* first = value(u, "addr_base") == static_cast<std::int64_t>(m.what->base) ||
                                    value(u, "offset_start") != 0
                                ? "offset_start"
                                : "addr_base";
        set(u, first, value(u, first) + by);
        if (first == std::string_view("offset_start") && value(u, "offset_end") != 0)
          set(u, "offset_end", value(u, "offset_end") + by);
      }
  m.what->start += by, m.what->end += by;
  return m.what->epoch;
}
std::optional<int> no_clean(NpuProgram& p, Random& r) {
  std::vector<int> cpu;
  for (const NpuEpoch& e : p.epochs) {
    const NpuEpoch* next = p.find_epoch(e.number + 1);
    const auto calls = [&](std::string_view part) {
      return std::ranges::any_of(
          e.calls, [&](const NpuCall& c) { return c.function.find(part) != std::string::npos; });
    };
    if (!e.hardware() && calls("ll_sw_") && calls("Clean") && next && next->hardware())
      cpu.push_back(e.number);
  }
  if (cpu.empty()) return std::nullopt;
  const int at = cpu[static_cast<std::size_t>(r.between(0, static_cast<int>(cpu.size()) - 1))];
  drop_calls(p, "Clean", at, at + 1);
  return at;
}

}  // namespace lockstep::seeded
