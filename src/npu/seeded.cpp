#include "npu/seeded.h"

#include <algorithm>
#include <functional>

#include <fmt/core.h>

#include "npu/audit.h"

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
};

Result<std::vector<NpuRow>> rows_of(const NpuProgram& p, const Graph& model,
                                    const NpuMapping& mapping, std::span<const Sample> reference) {
  LOCKSTEP_TRY(NpuSimulator sim, NpuSimulator::make(std::make_shared<const NpuProgram>(p)));
  return compare_epochs(sim, model, mapping, reference, NpuMode::forced);
}

// The first epoch whose figures leave the clean program's; 0 when none does.
int departure(const std::vector<NpuRow>& got, const std::vector<NpuRow>& usual) {
  for (std::size_t i = 0; i < got.size() && i < usual.size(); ++i)
    if (got[i].max_lsb > usual[i].max_lsb || got[i].share > 1.5 * usual[i].share + 0.001)
      return got[i].epoch;
  return 0;
}

void look(NpuBugTrial& t, const NpuProgram& p, const Graph& model, const NpuMapping& mapping,
          std::span<const Sample> reference, const std::vector<NpuRow>& usual) {
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
  if (sim.ok())
    if (const auto found = audit_npu(*sim, &model); found.ok())
      for (const NpuFinding& f : *found) {
        if (f.severity != NpuSeverity::error) continue;
        if (t.first.empty()) t.first = fmt::format("{} in epoch {}", f.rule, f.epoch);
        t.by_audit = t.by_audit || f.epoch == t.epoch;
      }
  if (t.by_audit) return;
  const auto rows = rows_of(p, model, mapping, reference);
  const std::string place = fmt::format("epoch {}:", t.epoch);
  const int at = rows.ok()                                              ? departure(*rows, usual)
                 : rows.error().line().find(place) != std::string::npos ? t.epoch
                                                                        : 0;
  t.by_run = at == t.epoch;
  if (t.first.empty()) t.first = at == 0 ? "nothing" : fmt::format("departs in epoch {}", at);
}

}  // namespace

std::span<const NpuBugKind> npu_bug_kinds() {
  return kinds;
}

Result<std::vector<NpuBugTrial>> try_npu_bugs(const NpuProgram& program, const Graph& model,
                                              std::span<const Sample> reference, int seeds,
                                              std::uint64_t first_seed) {
  const NpuMapping mapping = map_npu_buffers(program, model);
  LOCKSTEP_TRY(const std::vector<NpuRow> usual, rows_of(program, model, mapping, reference));
  std::vector<NpuBugTrial> trials;
  for (const NpuBugKind& kind : kinds)
    for (int s = 0; s < seeds; ++s) {
      NpuProgram p = program;
      Random random(first_seed + static_cast<std::uint64_t>(s));
      NpuBugTrial t;
      t.kind = kind.name;
      if (const auto epoch = kind.plant(p, random)) {
        t.epoch = *epoch;
        look(t, p, model, mapping, reference, usual);
      }
      trials.push_back(std::move(t));
    }
  return trials;
}

}  // namespace lockstep
