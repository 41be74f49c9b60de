#pragma once

#include <string>
#include <utility>

#include "npu/registers.h"

// For the readers of registers alone.
namespace lockstep::npu_registers {

inline Error refused(const std::string& where, std::string what, std::string want) {
  return {where, std::move(what), std::move(want), {}};
}

// Fields of the explicit form under construction, and bits of the registers that they come from.
class Fields {
 public:
  explicit Fields(const NpuRegisters& r) : r_(r) {}
  void number(const char* name, std::int64_t v) {
    if (v != 0) out.fields.insert_or_assign(name, NpuField::of(v));
  }
  void name(const char* field, const char* v) {
    out.fields.insert_or_assign(field, NpuField::of_name(v));
  }
  std::int64_t bits(int word, int lsb, int width) const {
    return NpuBits{lsb, width}.get(r_.get(word));
  }
  std::int64_t sbits(int word, int lsb, int width) const {
    return NpuBits{lsb, width}.get_signed(r_.get(word));
  }
  NpuUnitFromRegisters out;

 private:
  const NpuRegisters& r_;
};

inline void put(Bytes& to, std::uint32_t value, int bytes) {
  for (int k = 0; k < bytes; ++k) to.push_back(static_cast<std::byte>(value >> (8 * k)));
}

// One arithmetic unit; coefficients become tables behind `base`.
Result<NpuUnitFromRegisters> arith(const NpuRegisters& r, const NpuCoefficientMemory& memory,
                                   std::uint64_t base, const std::string& where);

}  // namespace lockstep::npu_registers
