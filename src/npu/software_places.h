#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "npu/memory.h"
#include "npu/network_c.h"

// The tables that a call of the library names: tensors by address, extents and width.
namespace lockstep::moves {

// "&table[0]", "table[0]" and "table" all name a table.
inline std::string table_name(std::string_view argument) {
  while (!argument.empty() && (argument.front() == '&' || argument.front() == ' '))
    argument.remove_prefix(1);
  return std::string(argument.substr(0, argument.find('[')));
}

struct Tables {
  const NpuEpoch& epoch;
  std::string where;

  Error missing(const std::string& name) const {
    return {where, "no table " + name, "the constants of the call", {}};
  }
  Result<const NpuTable*> find(std::string_view argument) const {
    const auto it = epoch.tables.find(table_name(argument));
    if (it == epoch.tables.end()) return missing(table_name(argument));
    return &it->second;
  }
  Result<Shape> numbers(std::string_view argument) const {
    LOCKSTEP_TRY(const NpuTable* t, find(argument));
    if (t->values.size() == 1 && t->values[0].is == NpuField::Is::name)
      return numbers(t->values[0].name);
    Shape out;
    for (const NpuField& f : t->values) out.push_back(f.integer);
    if (out.empty() || out.size() > 8) return missing(table_name(argument));
    return out;
  }
};

inline std::int64_t cell(const NpuFields& row, std::string_view key) {
  const auto it = row.find(key);
  return it == row.end() ? 0 : it->second.integer;
}

struct Place {
  std::uint64_t address = 0;
  Shape shape;
  std::int64_t bytes = 1;  // of an element
};

// `extents`: the row's cell that tells how the elements are counted; the other where it has none.
inline Result<Place> place_of(const Tables& tables, const NpuFields& row, const std::string& name,
                              const std::string& extents = "mem_shape") {
  Place p;
  p.address = static_cast<std::uint64_t>(cell(row, "addr_base") + cell(row, "offset_start"));
  p.bytes = cell(row, "nbits") / 8;
  if (p.bytes < 1 || p.bytes > 4)
    return Error{
        tables.where, fmt::format("elements of {} bits", cell(row, "nbits")), "8, 16 or 32", {}};
  const std::string other = extents == "mem_shape" ? "shape" : "mem_shape";
  const auto shape = row.find(extents) != row.end() ? row.find(extents) : row.find(other);
  if (shape == row.end()) return tables.missing("shape of " + name);
  if (shape->second.is == NpuField::Is::name) {
    LOCKSTEP_TRY(p.shape, tables.numbers(shape->second.name));
  } else {
    for (const NpuField& f : shape->second.list) p.shape.push_back(f.integer);
  }
  LOCKSTEP_TRY([[maybe_unused]] const std::int64_t n, checked_count(p.shape, tables.where));
  return p;
}

inline Result<Place> place(const Tables& tables, std::string_view argument,
                           const std::string& extents = "mem_shape") {
  LOCKSTEP_TRY(const NpuTable* t, tables.find(argument));
  if (t->rows.empty()) return tables.missing(table_name(argument));
  return place_of(tables, t->rows[0], table_name(argument), extents);
}

// The rows of a table of tensors, without the one that ends it.
inline Result<std::vector<NpuFields>> rows_of(const Tables& tables, std::string_view argument,
                                              std::size_t most) {
  LOCKSTEP_TRY(const NpuTable* t, tables.find(argument));
  std::vector<NpuFields> rows;
  for (const NpuFields& row : t->rows)
    if (row.size() > 1 && rows.size() < most) rows.push_back(row);
  if (rows.empty()) return tables.missing(table_name(argument));
  return rows;
}

inline std::int64_t number(const NpuCall& call, std::size_t i) {
  return i < call.arguments.size() ? std::strtoll(call.arguments[i].c_str(), nullptr, 0) : 0;
}

inline Result<NpuBuffer> buffer_in(const Tables& tables, const NpuFields& row) {
  return npu_buffer_from(
      row,
      [&](std::string_view name) -> Result<std::vector<NpuField>> {
        LOCKSTEP_TRY(const NpuTable* t, tables.find(name));
        return t->values;
      },
      tables.where);
}

// Several tensors into one, and one into several.
Result<void> concat(const NpuCall& call, const Tables& tables, NpuMemory& memory);
Result<void> split(const NpuCall& call, const Tables& tables, NpuMemory& memory,
                   std::size_t outputs_at, std::int64_t n);
Result<void> slice(const NpuCall& call, const Tables& tables, NpuMemory& memory);

}  // namespace lockstep::moves
