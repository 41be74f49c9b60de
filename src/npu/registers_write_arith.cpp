// An arithmetic unit's fields and tables -> registers and coefficient memory.
#include <algorithm>

#include <fmt/core.h>

#include "npu/registers_writes.h"
#include "num/npu_fixed.h"

namespace lockstep {

Result<std::int64_t> npu_table_entry(const NpuProgram& p, std::int64_t address, std::int64_t k,
                                     std::int64_t bits, const std::string& where) {
  const auto at = static_cast<std::uint64_t>(address + k * bits / 8);
  for (const NpuImage& image : p.images) {
    if (at < image.base ||
        at - image.base + static_cast<std::uint64_t>(bits / 8) > image.bytes.size())
      continue;
    std::uint64_t v = 0;
    for (std::int64_t b = 0; b < bits / 8; ++b)
      v |= static_cast<std::uint64_t>(image.bytes[at - image.base + static_cast<std::uint64_t>(b)])
           << (8 * b);
    return npu_wrap(static_cast<std::int64_t>(v), static_cast<int>(bits / 8));
  }
  return Error{
      where, fmt::format("constants at 0x{:08x}", at), "an address inside the weights", {}};
}

namespace {

std::optional<std::int64_t> operation_code(std::string_view name) {
  constexpr std::pair<std::string_view, int> codes[] = {{"ARITH_AFFINE", 0},
                                                        {"ARITH_MIN", 1},
                                                        {"ARITH_MAX", 2},
                                                        {"ARITH_MUL", 7},
                                                        {"ARITH_CLIP", 0x37}};
  for (const auto& [n, code] : codes)
    if (n == name) return code;
  return std::nullopt;
}

struct Counters {
  std::int64_t rows = 1, increment = 0, step = 0, first = 0, second = 0, third = 0;
};
Counters counters_of(const NpuArith& a) {
  const std::int64_t w = std::max<std::int64_t>(a.fWidth, 1),
                     h = std::max<std::int64_t>(a.fHeight, 1),
                     d = std::max<std::int64_t>(a.batchDepth, 1);
  if (a.bcast == "ARITH_BCAST_CHAN")
    return {a.fChannels, 0, 1, d - 1, w * h * d - 1, w * h * a.fChannels - 1};
  if (a.bcast == "ARITH_BCAST_HEIGHT") return {h, w * d - 1, 1, w * h * d - 1, 0, 0};
  if (a.bcast == "ARITH_BCAST_WIDTH") return {w, d - 1, 1, w * d - 1, 0, 0};
  if (a.bcast == "ARITH_BCAST_HEIGHT_WIDTH") return {w * h, d - 1, 1, w * h * d - 1, 0, 0};
  return {};
}

Result<void> coefficients(const NpuProgram& p, const NpuArith& a, std::int64_t rows,
                          NpuRegisterWrites& w, const std::string& where) {
  w.put(11, {{{0, 1}, 1}});
  for (std::int64_t k = 0; k < rows; ++k) {
    std::int64_t A = a.A_scalar, B = a.B_scalar, C = a.C_scalar;
    if (a.A_vector != 0) {
      LOCKSTEP_TRY(A, npu_table_entry(p, a.A_vector, k, a.vec_precision[0], where));
    }
    if (a.B_vector != 0) {
      LOCKSTEP_TRY(B, npu_table_entry(p, a.B_vector, k, a.vec_precision[1], where));
    }
    if (a.C_vector != 0) {
      LOCKSTEP_TRY(C, npu_table_entry(p, a.C_vector, k, a.vec_precision[2], where));
      if (npu_wrap(a.C_scalar, 2) == -1) C = -C;
    } else if (a.combinebc != 0) {
      C = npu_wrap(a.B_scalar, 2) * 65536 + (a.C_scalar & 0xffff);
    }
    if (a.combinebc != 0) B = npu_wrap(C >> 16, 2), C = C & 0xffff;
    if (k == 384) w.put(11, {{{0, 1}, 0}});
    const int at = static_cast<int>(k < 384 ? 0x100 + 2 * k : 2 * k);
    w.put(at, {{{0, 16}, A}, {{16, 16}, B}});
    w.put(at + 1, {{{0, 16}, C}});
  }
  return {};
}

}  // namespace

Result<void> write_arith(const NpuProgram& p, const NpuArith& a, NpuRegisterWrites& w,
                         const std::string& where) {
  const auto code = operation_code(a.operation);
  if (!code) return Error{where, a.operation, "an operation that the form holds", {}};
  const bool vector = a.scalar == 0, channel = vector && a.bcast == "ARITH_BCAST_CHAN";
  w.put(0, {}, 0x08000000);
  w.put(0, {{{2, 1}, vector},
            {{3, 1}, channel},
            {{4, 1}, channel},
            {{5, 1}, a.rounding_o},
            {{6, 1}, a.saturation_o},
            {{7, 1}, vector},
            {{8, 1}, a.dualinput},
            {{9, 6}, *code},
            {{21, 1}, vector},
            {{22, 1}, vector},
            {{24, 1}, a.round_mode_o},
            {{26, 2}, a.outbytes_o},
            {{28, 1}, a.combinebc},
            {{29, 1}, a.clipout}});
  w.put(13, {{{0, 2}, a.inbytes_x},
             {{2, 6}, 16},
             {{8, 1}, a.rounding_x},
             {{9, 1}, a.saturation_x},
             {{10, 2}, a.round_mode_x},
             {{12, 2}, a.outbytes_x},
             {{16, 2}, a.inbytes_y},
             {{18, 6}, 16},
             {{24, 1}, a.rounding_y},
             {{25, 1}, a.saturation_y},
             {{26, 2}, a.round_mode_y},
             {{28, 2}, a.outbytes_y}});
  w.put(2,
        {{{0, 5}, a.Ax_shift}, {{5, 5}, a.By_shift}, {{10, 5}, a.C_shift}, {{15, 6}, a.shift_o}});
  w.put(7, {{{0, 16}, a.A_scalar}, {{16, 16}, a.C_scalar}});
  w.put(8, {{{0, 16}, a.B_scalar}});
  if (a.clipout != 0) w.put(14, {{{0, 16}, a.clipmax}, {{16, 16}, a.clipmin}});
  if (!vector) return {};
  const Counters c = counters_of(a);
  if (c.rows > 512) return Error{where, fmt::format("{} coefficients", c.rows), "at most 512", {}};
  w.put(3, {{{0, 27}, c.increment}});
  w.put(4, {{{0, 27}, c.first}});
  w.put(5, {{{0, 27}, c.second}});
  w.put(6, {{{0, 27}, c.third}});
  w.put(10, {{{0, 9}, c.step}});
  return coefficients(p, a, c.rows, w, where);
}

}  // namespace lockstep
