// FUNC: y = saturate(nearest((A*x^2 + ((B*x) << shift_b) + (C << shift_c)) / 2^shift_o)), (A,B,C)
// the row of x's segment
#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "npu/flow.h"

namespace lockstep {
namespace {

struct Piecewise {
  std::vector<std::uint8_t> first;  // one byte per outer segment: log2 of rows << 6 | first row
  std::vector<std::array<std::int64_t, 3>> rows;  // A, B, C
};

Result<Piecewise> tables(const NpuActiv& v, const NpuMemory& memory, const std::string& who) {
  Piecewise t;
  LOCKSTEP_TRY(const auto rom0, memory.read(static_cast<std::uint64_t>(v.ROM0_vector),
                                            static_cast<std::uint64_t>(v.ROM0_nbytes), who));
  LOCKSTEP_TRY(const auto rom1, memory.read(static_cast<std::uint64_t>(v.ROM1_vector),
                                            static_cast<std::uint64_t>(v.ROM1_nbytes), who));
  t.first.assign(rom0.begin(), rom0.end());
  if (static_cast<std::int64_t>(t.first.size()) < (std::int64_t{1} << v.bwidth))
    return Error{who,
                 fmt::format("{} segments for {} address bits", t.first.size(), v.bwidth),
                 "one byte for each segment",
                 {}};
  for (std::size_t r = 0; r + 6 <= rom1.size(); r += 6) {
    std::array<std::int64_t, 3> row{};
    for (std::size_t k = 0; k < 3; ++k)
      row[k] = npu_wrap(rom1[r + 2 * k] | rom1[r + 2 * k + 1] << 8, 2);
    t.rows.push_back(row);
  }
  for (std::size_t s = 0; s < (std::size_t{1} << v.bwidth); ++s)
    if ((t.first[s] & 63u) + (1u << (t.first[s] >> 6)) > t.rows.size())
      return Error{who,
                   fmt::format("segment {} begins at row {}", s, t.first[s] & 63),
                   fmt::format("{} rows", t.rows.size()),
                   {}};
  return t;
}

// The segment: the highest bits of the normalized input, counted from the least input; then as many
// lower bits as the segment has rows.
const std::array<std::int64_t, 3>& row_of(const Piecewise& t, const NpuActiv& v, std::int64_t x) {
  const std::int64_t lifted =
      npu_saturate(npu_shift(x, -static_cast<int>(v.shift_norm), NpuTie::floor), 2) + 32768;
  const int outer_bits = 16 - static_cast<int>(v.bwidth);
  const std::uint8_t entry =
      t.first[static_cast<std::size_t>(npu_shift(lifted, outer_bits, NpuTie::floor))];
  const int inner = entry >> 6;
  const std::int64_t below = lifted & ((std::int64_t{1} << outer_bits) - 1);
  return t.rows[(entry & 63u) +
                static_cast<std::size_t>(npu_shift(below, outer_bits - inner, NpuTie::floor))];
}

// TRELU: x above the parameter, else the second parameter; compiled programs give both the zero
// point. RELU: the greater of x and 0, at parameter 0.
template <class T>
Result<NpuFlow<T>> threshold(const NpuActiv& v, const NpuFlow<T>& x, const NpuRules& rules,
                             NpuCounts& counts, const std::string& who) {
  const bool plain = v.operation == "ACTIV_RELU";
  const std::int64_t limit = npu_wrap(v.parameter, 2),
                     below = plain ? limit : npu_wrap(v.parameter_2, 2);
  if (plain && limit != 0)
    return Error{who, fmt::format("ACTIV_RELU with parameter {}", limit), "0",
                 "what other parameters do is not known"};
  if (limit != below) counts.inexact.push_back(who + ": threshold by an inferred rule");
  const int bytes = static_cast<int>(v.outbytes_o), shift = static_cast<int>(v.shift_o);
  NpuFlow<T> out;
  for (const NpuFrame<T>& frame : x.frames) {
    auto y = std::make_shared<std::vector<T>>(frame->size());
    for (std::size_t i = 0; i < frame->size(); ++i) {
      const std::int64_t in =
          npu_wrap(static_cast<std::int64_t>((*frame)[i]), v.inbytes_f == 1 ? 1 : 2) - v.fsub;
      const std::int64_t r = npu_shift(in > limit ? in : below, shift,
                                       v.rounding_o != 0 ? rules.activ : NpuTie::floor);
      (*y)[i] = static_cast<T>(v.saturation_o != 0 ? npu_saturate(r, bytes) : npu_wrap(r, bytes));
    }
    out.frames.push_back(std::move(y));
  }
  return out;
}

std::int64_t value_at(const Piecewise& t, const NpuActiv& v, NpuTie tie, std::int64_t in) {
  const auto& [a, b, c] = row_of(t, v, in);
  const std::int64_t sum =
      a * in * in + b * in * (std::int64_t{1} << v.shift_b) + c * (std::int64_t{1} << v.shift_c);
  const std::int64_t r =
      npu_shift(sum, static_cast<int>(v.shift_o), v.rounding_o != 0 ? tie : NpuTie::floor);
  const int bytes = static_cast<int>(v.outbytes_o);
  return v.saturation_o != 0 ? npu_saturate(r, bytes) : npu_wrap(r, bytes);
}

// The most that one code of the input moves the result by.
std::int64_t steepest(const Piecewise& t, const NpuActiv& v, NpuTie tie) {
  std::int64_t most = 0;
  for (std::int64_t x = -127; x < 128; ++x)
    most = std::max(
        most, std::abs(value_at(t, v, tie, x - v.fsub) - value_at(t, v, tie, x - 1 - v.fsub)));
  return most;
}

std::string claim(const Piecewise& t, const NpuActiv& v, NpuTie tie) {
  std::string text = ": piecewise function by an inferred rule, at most 1 LSB is claimed";
  if (v.inbytes_f != 1) return text;
  return text + fmt::format(" for its own input, of which one code moves it by up to {} LSB",
                            steepest(t, v, tie));
}

}  // namespace

template <class T>
Result<NpuFlow<T>> run_activ(const NpuActiv& v, const NpuFlow<T>& x, const NpuMemory& memory,
                             const NpuRules& rules, NpuCounts& counts, const std::string& who) {
  if (v.operation == "ACTIV_TRELU" || v.operation == "ACTIV_RELU")
    return threshold(v, x, rules, counts, who);
  if (v.operation != "ACTIV_FUNC")
    return Error{who, v.operation, "ACTIV_FUNC, ACTIV_TRELU or ACTIV_RELU",
                 "how the slope of this operation is scaled is not known"};
  LOCKSTEP_TRY(const Piecewise t, tables(v, memory, who));
  counts.inexact.push_back(who + claim(t, v, rules.activ));
  NpuFlow<T> out;
  for (const NpuFrame<T>& frame : x.frames) {
    auto y = std::make_shared<std::vector<T>>(frame->size());
    for (std::size_t i = 0; i < frame->size(); ++i) {
      std::int64_t in = static_cast<std::int64_t>((*frame)[i]);
      in = npu_wrap(in, v.inbytes_f == 1 ? 1 : 2);
      (*y)[i] = static_cast<T>(value_at(t, v, rules.activ, in - v.fsub));
    }
    out.frames.push_back(std::move(y));
  }
  return out;
}

template Result<NpuFlow<std::int32_t>> run_activ(const NpuActiv&, const NpuFlow<std::int32_t>&,
                                                 const NpuMemory&, const NpuRules&, NpuCounts&,
                                                 const std::string&);
template Result<NpuFlow<double>> run_activ(const NpuActiv&, const NpuFlow<double>&,
                                           const NpuMemory&, const NpuRules&, NpuCounts&,
                                           const std::string&);

}  // namespace lockstep
