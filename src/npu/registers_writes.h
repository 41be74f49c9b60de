#pragma once

#include <initializer_list>
#include <utility>
#include <vector>

#include "npu/registers.h"
#include "npu/units.h"

namespace lockstep {

// The registers of one unit as they are written, word by word.
class NpuRegisterWrites {
 public:
  explicit NpuRegisterWrites(int unit) : unit_(unit) {}
  void put(int word, std::initializer_list<std::pair<NpuBits, std::int64_t>> parts,
           std::uint32_t base = 0) {
    std::uint32_t v = base;
    for (const auto& [bits, value] : parts) v = (v & ~bits.put(-1)) | bits.put(value);
    out.push_back({unit_, word, v});
  }
  std::vector<NpuWrite> out;

 private:
  int unit_;
};

// `bits` of a table at an address of the program's images, entry k.
Result<std::int64_t> npu_table_entry(const NpuProgram& p, std::int64_t address, std::int64_t k,
                                     std::int64_t bits, const std::string& where);

// An arithmetic unit with its coefficient memory. Errors: an operation without a code, constants
// outside the weights.
Result<void> write_arith(const NpuProgram& p, const NpuArith& a, NpuRegisterWrites& w,
                         const std::string& where);

}  // namespace lockstep
