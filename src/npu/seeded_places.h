#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "npu/seeded.h"

// Where a mistake can be planted: fields of units, and random ones among those that fit.
namespace lockstep::seeded {

struct Place {
  NpuEpoch* epoch;
  NpuUnit* unit;
};

inline std::int64_t value(const NpuUnit& u, const char* name) {
  const auto it = u.fields.find(name);
  return it == u.fields.end() || it->second.is != NpuField::Is::integer ? 0 : it->second.integer;
}
inline void set(NpuUnit& u, const char* name, std::int64_t v) {
  u.fields.insert_or_assign(name, NpuField::of(v));
}
inline std::string word(const NpuUnit& u, const char* name) {
  const auto it = u.fields.find(name);
  return it == u.fields.end() ? "" : it->second.name;
}

// A random unit of those that fit.
inline std::optional<Place> pick(NpuProgram& p, Random& random,
                                 const std::function<bool(const NpuEpoch&, const NpuUnit&)>& fits) {
  std::vector<Place> all;
  for (NpuEpoch& e : p.epochs)
    for (NpuUnit& u : e.units)
      if (fits(e, u)) all.push_back({&e, &u});
  if (all.empty()) return std::nullopt;
  return all[static_cast<std::size_t>(random.between(0, static_cast<int>(all.size()) - 1))];
}

inline bool is_conv(const NpuUnit& u) {
  return u.id.kind == NpuKind::conv;
}
inline bool is_affine(const NpuUnit& u) {
  return u.id.kind == NpuKind::arith && word(u, "operation") == "ARITH_AFFINE";
}
inline bool is_add(const NpuUnit& u) {
  return is_affine(u) && value(u, "dualinput") != 0 && value(u, "scalar") != 0;
}
inline bool by_channel(const NpuUnit& u) {
  return is_affine(u) && value(u, "scalar") == 0 && value(u, "A_vector") != 0;
}
inline bool requantizes(const NpuUnit& u) {
  return is_affine(u) && value(u, "dualinput") == 0 && value(u, "outbytes_o") == 1 &&
         value(u, "shift_o") > 16;
}
inline bool feeds(const NpuEpoch& e, NpuUnitId from, NpuKind kind, int port) {
  return std::ranges::any_of(e.links, [&](const NpuLink& l) {
    return l.from[0].source.unit == from && l.to.unit.kind == kind && l.to.port == port;
  });
}
inline bool constants(const NpuEpoch& e, const NpuUnit& u) {
  return u.id.kind == NpuKind::stream && feeds(e, u.id, NpuKind::conv, 1);
}

// The epoch that makes codes of this one's sums: this one, or the next that requantizes.
inline std::optional<int> add_to(NpuProgram& p, Random& random, const char* field, std::int64_t by,
                                 const std::function<bool(const NpuEpoch&, const NpuUnit&)>& fits) {
  const auto at = pick(p, random, fits);
  if (!at) return std::nullopt;
  set(*at->unit, field, value(*at->unit, field) + by);
  return at->epoch->number;
}

// Mistakes about memory: places, weights, caches.
std::optional<int> output_moved(NpuProgram& p, Random& r);
std::optional<int> output_lines(NpuProgram& p, Random& r);
std::optional<int> no_invalidate(NpuProgram& p, Random& r);
std::optional<int> other_weights(NpuProgram& p, Random& r);
std::optional<int> multiplier_lost(NpuProgram& p, Random& r);
std::optional<int> shared_place(NpuProgram& p, Random& r);
std::optional<int> no_clean(NpuProgram& p, Random& r);

}  // namespace lockstep::seeded
