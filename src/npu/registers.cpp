#include "npu/registers.h"

#include <algorithm>

namespace lockstep {
namespace {

struct Span {
  int first;
  NpuKind kind;
  int count, ports;  // ports: destinations of one unit
};
// In the order of the switch's destinations and sources.
constexpr Span spans[] = {
    {npu_reg::streng, NpuKind::stream, 10, 1},   {npu_reg::convacc, NpuKind::conv, 4, 3},
    {npu_reg::decun, NpuKind::decompress, 2, 2}, {npu_reg::activ, NpuKind::activ, 2, 1},
    {npu_reg::arith, NpuKind::arith, 4, 2},      {npu_reg::pool, NpuKind::pool, 2, 1},
    {npu_reg::recbuf, NpuKind::recbuf, 1, 3}};

struct Reset {
  NpuKind kind;
  int word;
  std::uint32_t value;
};
// Registers whose reset value is not zero and which the driver may leave alone.
constexpr Reset resets[] = {
    {NpuKind::conv, 2, 0x01010303},   {NpuKind::conv, 3, 0x00001100},
    {NpuKind::conv, 4, 0x10b00808},   {NpuKind::conv, 5, 0xffffffff},
    {NpuKind::conv, 6, 0xffff0000},   {NpuKind::conv, 7, 0xffff0000},
    {NpuKind::conv, 8, 0x00000001},   {NpuKind::conv, 9, 0x00000001},
    {NpuKind::stream, 9, 0x00080024}, {NpuKind::stream, 12, 0x00000002},
    {NpuKind::arith, 0, 0x08000000},  {NpuKind::arith, 13, 0x20422042},
    {NpuKind::pool, 0, 0x00420000},   {NpuKind::pool, 8, 0x00020002},
    {NpuKind::activ, 0, 0x00881080},
};

}  // namespace

std::int64_t NpuBits::get_signed(std::uint32_t v) const {
  const std::int64_t raw = get(v), size = std::int64_t{1} << width;
  return raw >= size / 2 ? raw - size : raw;
}

std::optional<int> npu_register_unit(const NpuUnitId& unit) {
  for (const Span& s : spans)
    if (s.kind == unit.kind && unit.id >= 0 && unit.id < s.count) return s.first + unit.id;
  return std::nullopt;
}

std::optional<NpuUnitId> npu_unit_at(int register_unit) {
  for (const Span& s : spans)
    if (register_unit >= s.first && register_unit < s.first + s.count)
      return NpuUnitId{s.kind, register_unit - s.first};
  return std::nullopt;
}

std::optional<int> npu_port_word(const NpuPort& to) {
  int word = 2;
  for (const Span& s : spans) {
    if (s.kind == to.unit.kind)
      return to.unit.id >= 0 && to.unit.id < s.count && to.port >= 0 && to.port < s.ports
                 ? std::optional(word + to.unit.id * s.ports + to.port)
                 : std::nullopt;
    word += s.count * s.ports;
  }
  return std::nullopt;
}

std::optional<NpuPort> npu_port_at(int word) {
  int first = 2;
  for (const Span& s : spans) {
    const int n = s.count * s.ports;
    if (word >= first && word < first + n)
      return NpuPort{{s.kind, (word - first) / s.ports}, (word - first) % s.ports};
    first += n;
  }
  return std::nullopt;
}

// Every unit is one source, the reconfigurable buffer three.
std::optional<int> npu_source_number(const NpuPort& from) {
  int number = 0;
  for (const Span& s : spans) {
    const int ports = s.kind == NpuKind::recbuf ? 3 : 1;
    if (s.kind == from.unit.kind)
      return from.unit.id >= 0 && from.unit.id < s.count && from.port >= 0 && from.port < ports
                 ? std::optional(number + from.unit.id * ports + from.port)
                 : std::nullopt;
    number += s.count * ports;
  }
  return std::nullopt;
}

std::optional<NpuPort> npu_source_at(int number) {
  int first = 0;
  for (const Span& s : spans) {
    const int ports = s.kind == NpuKind::recbuf ? 3 : 1;
    if (number >= first && number < first + s.count * ports)
      return NpuPort{{s.kind, (number - first) / ports}, (number - first) % ports};
    first += s.count * ports;
  }
  return std::nullopt;
}

std::uint32_t NpuRegisters::get(int word) const {
  if (const auto it = words_.find(word); it != words_.end()) return it->second;
  for (const Reset& r : resets)
    if (r.kind == kind_ && r.word == word) return r.value;
  return 0;
}

}  // namespace lockstep
