// Registers of an arithmetic unit -> the fields of the explicit form.
#include <fmt/core.h>

#include "npu/registers_fields.h"

namespace lockstep::npu_registers {
namespace {

// Rows of the coefficient memory as tables behind `base`.
void tables(Fields& f, const NpuCoefficientMemory& memory, std::int64_t rows, bool joined,
            std::uint64_t base) {
  Bytes& out = f.out.constants;
  const auto begin = [&] { return static_cast<std::int64_t>(base + out.size()); };
  const auto row = [&](std::int64_t k, int part) {
    return memory[static_cast<std::size_t>(2 * k + part)];
  };
  f.number("A_vector", begin());
  for (std::int64_t k = 0; k < rows; ++k) put(out, row(k, 0), 2);
  while (out.size() % 4 != 0) out.push_back(std::byte{0});
  if (!joined) {
    f.number("B_vector", begin());
    for (std::int64_t k = 0; k < rows; ++k) put(out, row(k, 0) >> 16, 2);
    while (out.size() % 4 != 0) out.push_back(std::byte{0});
  }
  f.number("C_vector", begin());
  for (std::int64_t k = 0; k < rows; ++k) {
    if (joined)
      put(out, (row(k, 0) & 0xffff0000u) | (row(k, 1) & 0xffffu), 4);
    else
      put(out, row(k, 1), 2);
  }
  f.out.fields.insert_or_assign(
      "vec_precision",
      NpuField::of_list({NpuField::of(16), NpuField::of(16), NpuField::of(joined ? 32 : 16)}));
}

const char* operation_of(std::int64_t code) {
  switch (code) {
    case 0x00:
      return "ARITH_AFFINE";
    case 0x01:
      return "ARITH_MIN";
    case 0x02:
      return "ARITH_MAX";
    case 0x07:
      return "ARITH_MUL";
    case 0x0b:
      return "ARITH_X_AND_Y";
    case 0x0f:
      return "ARITH_X_OR_Y";
    case 0x13:
      return "ARITH_NOT_X";
    case 0x17:
      return "ARITH_X_XOR_Y";
    case 0x1b:
      return "ARITH_X_EQ_Y";
    case 0x1f:
      return "ARITH_X_LT_Y";
    case 0x23:
      return "ARITH_X_LE_Y";
    case 0x27:
      return "ARITH_X_GT_Y";
    case 0x2b:
      return "ARITH_X_GE_Y";
    case 0x2f:
      return "ARITH_ABS_X";
    case 0x33:
      return "ARITH_SIGN_X";
    case 0x37:
      return "ARITH_CLIP";
    default:
      return nullptr;
  }
}

// How the counters walk through the coefficient memory.
Result<void> vectors(Fields& f, const NpuRegisters& r, const NpuCoefficientMemory& memory,
                     std::uint64_t base, const std::string& where) {
  const auto count = [&](int word) { return f.bits(word, 0, 27) + 1; };
  const bool joined = f.bits(0, 28, 1) != 0, by_channel = f.bits(0, 3, 1) != 0;
  if (by_channel) {
    const std::int64_t depth = count(4), block = count(5), all = count(6);
    if (block % depth != 0 || all % (block / depth) != 0)
      return refused(where, "counters that do not divide", "channels by pixels");
    f.name("bcast", "ARITH_BCAST_CHAN");
    f.number("batchDepth", depth), f.number("fWidth", block / depth), f.number("fHeight", 1),
        f.number("fChannels", all / (block / depth));
    if (all / (block / depth) > 512)
      return refused(where, fmt::format("{} coefficients", all / (block / depth)), "at most 512");
    tables(f, memory, all / (block / depth), joined, base);
    return {};
  }
  const bool moves = NpuBits{0, 9}.get(r.get(10)) != 0;
  const std::int64_t period = moves ? count(3) : 1, rows = moves ? count(4) / period : 1;
  if (rows < 1 || rows > 512)
    return refused(where, fmt::format("{} coefficients", rows), "1 .. 512");
  f.name("bcast", moves ? "ARITH_BCAST_HEIGHT" : "ARITH_BCAST_SCALAR");
  f.number("batchDepth", 1), f.number("fWidth", period), f.number("fHeight", rows),
      f.number("fChannels", 1);
  tables(f, memory, rows, joined, base);
  return {};
}

}  // namespace

Result<NpuUnitFromRegisters> arith(const NpuRegisters& r, const NpuCoefficientMemory& memory,
                                   std::uint64_t base, const std::string& where) {
  Fields f(r);
  const char* operation = operation_of(f.bits(0, 9, 6));
  if (!operation)
    return refused(where, fmt::format("CTRL.OP = {}", f.bits(0, 9, 6)),
                   "an operation of the arithmetic unit");
  f.name("operation", operation);
  const bool vector = f.bits(0, 7, 1) != 0;
  f.number("scalar", vector ? 0 : 1), f.number("rounding_o", f.bits(0, 5, 1)),
      f.number("saturation_o", f.bits(0, 6, 1));
  f.number("dualinput", f.bits(0, 8, 1)), f.number("round_mode_o", f.bits(0, 24, 1)),
      f.number("relu_mode_o", f.bits(0, 25, 1));
  f.number("outbytes_o", f.bits(0, 26, 2)), f.number("combinebc", f.bits(0, 28, 1)),
      f.number("clipout", f.bits(0, 29, 1));
  f.number("Ax_shift", f.bits(2, 0, 5)), f.number("By_shift", f.bits(2, 5, 5)),
      f.number("C_shift", f.bits(2, 10, 5)), f.number("shift_o", f.bits(2, 15, 6));
  f.number("inbytes_x", f.bits(13, 0, 2)), f.number("shift_x", f.bits(13, 2, 6) - 16),
      f.number("rounding_x", f.bits(13, 8, 1));
  f.number("saturation_x", f.bits(13, 9, 1)), f.number("round_mode_x", f.bits(13, 10, 2)),
      f.number("outbytes_x", f.bits(13, 12, 2));
  f.number("inbytes_y", f.bits(13, 16, 2)), f.number("shift_y", f.bits(13, 18, 6) - 16),
      f.number("rounding_y", f.bits(13, 24, 1));
  f.number("saturation_y", f.bits(13, 25, 1)), f.number("round_mode_y", f.bits(13, 26, 2)),
      f.number("outbytes_y", f.bits(13, 28, 2));
  if (f.bits(0, 29, 1) != 0)
    f.number("clipmax", f.sbits(14, 0, 16)), f.number("clipmin", f.sbits(14, 16, 16));
  if (vector) {
    LOCKSTEP_CHECK(vectors(f, r, memory, base, where));
    return std::move(f.out);
  }
  f.name("bcast", "ARITH_BCAST_SCALAR");
  f.number("A_scalar", f.sbits(7, 0, 16)), f.number("C_scalar", f.sbits(7, 16, 16)),
      f.number("B_scalar", f.sbits(8, 0, 16));
  return std::move(f.out);
}

}  // namespace lockstep::npu_registers
