#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "npu/program.h"

namespace lockstep {

// The accelerator's registers as the epoch controller writes them: unit number (offset / 0x1000)
// and word inside the unit. docs/neural-art.md, "Blobs".
namespace npu_reg {
inline constexpr int clock = 0, interrupts = 1, strswitch = 4, streng = 5, convacc = 15, decun = 19,
                     activ = 21, arith = 23, pool = 27, recbuf = 29, epochctrl = 30, units = 31;
}

// A run of bits of a register.
struct NpuBits {
  int lsb, width;
  std::uint32_t get(std::uint32_t v) const { return (v >> lsb) & mask(); }
  std::int64_t get_signed(std::uint32_t v) const;
  std::uint32_t put(std::int64_t v) const {
    return (static_cast<std::uint32_t>(v) & mask()) << lsb;
  }
  std::uint32_t mask() const { return width >= 32 ? 0xffffffffu : (1u << width) - 1; }
};

std::optional<int> npu_register_unit(const NpuUnitId& unit);  // 5 of STRENG 0
std::optional<NpuUnitId> npu_unit_at(
    int register_unit);  // the way back; nothing for what computes nothing

// Switch ports: register word of a destination, number of a source, and the ways back.
std::optional<int> npu_port_word(const NpuPort& to);
std::optional<NpuPort> npu_port_at(int word);
std::optional<int> npu_source_number(const NpuPort& from);
std::optional<NpuPort> npu_source_at(int number);

// The registers of one unit, by word; absent ones hold their reset value.
class NpuRegisters {
 public:
  std::uint32_t get(int word) const;
  void set(int word, std::uint32_t value) { words_[word] = value; }
  void clear() { words_.clear(); }
  bool any() const { return !words_.empty(); }
  const std::map<int, std::uint32_t>& words() const { return words_; }
  void set_kind(NpuKind kind) { kind_ = kind; }

 private:
  NpuKind kind_ = NpuKind::stream;
  std::map<int, std::uint32_t> words_;
};

// The arithmetic units' coefficient memory, by word: entry k is (A | B << 16) at 2k and C at 2k
// + 1.
using NpuCoefficientMemory = std::array<std::uint32_t, 1024>;

// A unit's registers as the fields of the explicit form; constants that the registers hold become
// an image at `base`. Errors: a field at a value whose effect is not known.
struct NpuUnitFromRegisters {
  NpuFields fields;
  Bytes constants;
};
Result<NpuUnitFromRegisters> npu_fields_from(NpuUnitId id, const NpuRegisters& r,
                                             const NpuCoefficientMemory& memory, std::uint64_t base,
                                             const std::string& where);

// Fields as registers: what the driver writes. Tables are read from the program's images.
struct NpuWrite {
  int unit = 0, word = 0;
  std::uint32_t value = 0;
};
Result<std::vector<NpuWrite>> npu_writes_of(const NpuProgram& program, const NpuUnit& unit,
                                            const std::string& where);

}  // namespace lockstep
