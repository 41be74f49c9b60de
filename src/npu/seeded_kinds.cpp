#include "npu/seeded.h"

#include <algorithm>
#include <functional>

namespace lockstep {
namespace {

struct Place {
  NpuEpoch* epoch;
  NpuUnit* unit;
};

std::int64_t value(const NpuUnit& u, const char* name) {
  const auto it = u.fields.find(name);
  return it == u.fields.end() || it->second.is != NpuField::Is::integer ? 0 : it->second.integer;
}
void set(NpuUnit& u, const char* name, std::int64_t v) {
  u.fields.insert_or_assign(name, NpuField::of(v));
}
std::string word(const NpuUnit& u, const char* name) {
  const auto it = u.fields.find(name);
  return it == u.fields.end() ? "" : it->second.name;
}

// A random unit of those that fit.
std::optional<Place> pick(NpuProgram& p, Random& random,
                          const std::function<bool(const NpuEpoch&, const NpuUnit&)>& fits) {
  std::vector<Place> all;
  for (NpuEpoch& e : p.epochs)
    for (NpuUnit& u : e.units)
      if (fits(e, u)) all.push_back({&e, &u});
  if (all.empty()) return std::nullopt;
  return all[static_cast<std::size_t>(random.between(0, static_cast<int>(all.size()) - 1))];
}

bool is_conv(const NpuUnit& u) {
  return u.id.kind == NpuKind::conv;
}
bool is_affine(const NpuUnit& u) {
  return u.id.kind == NpuKind::arith && word(u, "operation") == "ARITH_AFFINE";
}
bool is_add(const NpuUnit& u) {
  return is_affine(u) && value(u, "dualinput") != 0 && value(u, "scalar") != 0;
}
bool by_channel(const NpuUnit& u) {
  return is_affine(u) && value(u, "scalar") == 0 && value(u, "A_vector") != 0;
}
bool requantizes(const NpuUnit& u) {
  return is_affine(u) && value(u, "dualinput") == 0 && value(u, "outbytes_o") == 1 &&
         value(u, "shift_o") > 16;
}
bool feeds(const NpuEpoch& e, NpuUnitId from, NpuKind kind, int port) {
  return std::ranges::any_of(e.links, [&](const NpuLink& l) {
    return l.from[0].source.unit == from && l.to.unit.kind == kind && l.to.port == port;
  });
}
bool constants(const NpuEpoch& e, const NpuUnit& u) {
  return u.id.kind == NpuKind::stream && feeds(e, u.id, NpuKind::conv, 1);
}

// The epoch that makes codes of this one's sums: this one, or the next that requantizes.
std::optional<int> add_to(NpuProgram& p, Random& random, const char* field, std::int64_t by,
                          const std::function<bool(const NpuEpoch&, const NpuUnit&)>& fits) {
  const auto at = pick(p, random, fits);
  if (!at) return std::nullopt;
  set(*at->unit, field, value(*at->unit, field) + by);
  return at->epoch->number;
}

std::optional<int> sums_shift(NpuProgram& p, Random& r) {
  return add_to(p, r, "shift_o", 1, [](const NpuEpoch&, const NpuUnit& u) {
    return is_conv(u) && value(u, "shift_o") > 0 && value(u, "outbytes_o") == 2;
  });
}
std::optional<int> product_shift(NpuProgram& p, Random& r) {
  return add_to(p, r, "shift_o", -1, [](const NpuEpoch&, const NpuUnit& u) {
    return by_channel(u) && value(u, "shift_o") > 1;
  });
}
std::optional<int> common_scale(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) {
    return requantizes(u) && std::abs(value(u, "A_scalar")) > 1000;
  });
  if (!at) return std::nullopt;
  set(*at->unit, "A_scalar", value(*at->unit, "A_scalar") + value(*at->unit, "A_scalar") / 16);
  return at->epoch->number;
}
std::optional<int> final_shift(NpuProgram& p, Random& r) {
  return add_to(p, r, "shift_o", -1,
                [](const NpuEpoch&, const NpuUnit& u) { return requantizes(u); });
}
std::optional<int> operands_swapped(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) {
    return is_add(u) && std::abs(value(u, "A_scalar") - value(u, "B_scalar")) > 1000;
  });
  if (!at) return std::nullopt;
  const std::int64_t a = value(*at->unit, "A_scalar"), b = value(*at->unit, "B_scalar");
  set(*at->unit, "A_scalar", b), set(*at->unit, "B_scalar", a);
  return at->epoch->number;
}
std::optional<int> add_constant(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) {
    return is_add(u) && std::abs(value(u, "C_scalar")) > 1000;
  });
  if (!at) return std::nullopt;
  set(*at->unit, "C_scalar", 0);
  return at->epoch->number;
}
std::optional<int> operand_shift(NpuProgram& p, Random& r) {
  return add_to(p, r, "By_shift", 1, [](const NpuEpoch&, const NpuUnit& u) { return is_add(u); });
}
std::optional<int> zero_point(NpuProgram& p, Random& r) {
  const auto at = pick(
      p, r, [](const NpuEpoch&, const NpuUnit& u) { return is_conv(u) && value(u, "fsub") != 0; });
  if (!at) return std::nullopt;
  for (NpuUnit& u : at->epoch->units)
    if (is_conv(u)) set(u, "fsub", 0);
  return at->epoch->number;
}
std::optional<int> feature_sign(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) {
    return is_conv(u) && value(u, "f_unsigned") != 0;
  });
  if (!at) return std::nullopt;
  set(*at->unit, "f_unsigned", 0);
  return at->epoch->number;
}
std::optional<int> weights_offset(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, constants);
  if (!at) return std::nullopt;
  const std::int64_t by = r.between(1, 12) * 8;
  for (const char* field : {"offset_start", "offset_end"})
    set(*at->unit, field, value(*at->unit, field) + by);
  return at->epoch->number;
}
std::optional<int> other_multipliers(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) { return by_channel(u); });
  if (!at) return std::nullopt;
  const auto other = pick(p, r, [&](const NpuEpoch& e, const NpuUnit& u) {
    return by_channel(u) && e.number != at->epoch->number &&
           value(u, "fChannels") >= value(*at->unit, "fChannels");
  });
  if (!other) return std::nullopt;
  set(*at->unit, "A_vector", value(*other->unit, "A_vector"));
  return at->epoch->number;
}
std::optional<int> late_bias(NpuProgram& p, Random& r) {
  return add_to(p, r, "C_vector", 4, [](const NpuEpoch&, const NpuUnit& u) {
    return is_affine(u) && value(u, "scalar") == 0 && value(u, "C_vector") != 0 &&
           value(u, "fChannels") > 4;
  });
}
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
std::optional<int> drop_calls(NpuProgram& p, std::string_view kind, int from, int to) {
  for (NpuEpoch& e : p.epochs)
    if (e.number >= from && e.number <= to)
      std::erase_if(e.calls,
                    [&](const NpuCall& c) { return c.function.find(kind) != std::string::npos; });
  return std::nullopt;
}
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
std::optional<int> average_window(NpuProgram& p, Random& r) {
  return add_to(p, r, "mulval", -2000, [](const NpuEpoch&, const NpuUnit& u) {
    return u.id.kind == NpuKind::pool && word(u, "operation") == "POOL_GAVG";
  });
}
std::optional<int> padding_side(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) {
    return is_conv(u) && value(u, "left_padding") != value(u, "right_padding");
  });
  if (!at) return std::nullopt;
  const std::int64_t left = value(*at->unit, "left_padding"),
                     right = value(*at->unit, "right_padding");
  set(*at->unit, "left_padding", right), set(*at->unit, "right_padding", left);
  return at->epoch->number;
}
std::optional<int> sums_dropped(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) {
    return is_conv(u) && value(u, "accumulate_first") != 0;
  });
  if (!at) return std::nullopt;
  set(*at->unit, "accumulate", 0);
  return at->epoch->number;
}

// Bytes of the constants at an address; null outside of them.
std::byte* constant(NpuProgram& p, std::uint64_t address) {
  for (NpuImage& i : p.images)
    if (address >= i.base && address - i.base < i.bytes.size()) return &i.bytes[address - i.base];
  return nullptr;
}
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

constexpr NpuBugKind kinds[] = {
    {"sums shifted one bit too far", sums_shift},
    {"product shifted one bit too little", product_shift},
    {"common scale 6 % off", common_scale},
    {"final shift one bit off", final_shift},
    {"Add: coefficients swapped", operands_swapped},
    {"Add: constant lost", add_constant},
    {"Add: an operand halved", operand_shift},
    {"input zero point lost", zero_point},
    {"unsigned codes read as signed", feature_sign},
    {"weights read at a wrong offset", weights_offset},
    {"multipliers of another layer", other_multipliers},
    {"biases begin 4 bytes late", late_bias},
    {"output written 64 bytes off", output_moved},
    {"output lines overlap", output_lines},
    {"CPU reads without invalidation", no_invalidate},
    {"average over another window", average_window},
    {"padding on the other side", padding_side},
    {"partial sums dropped", sums_dropped},
    {"weights of another build", other_weights},
    {"a channel's multiplier lost", multiplier_lost},
    {"two tensors share a place", shared_place},
    {"CPU's result is not cleaned", no_clean},
};

}  // namespace

std::span<const NpuBugKind> npu_bug_kinds() {
  return kinds;
}

}  // namespace lockstep
