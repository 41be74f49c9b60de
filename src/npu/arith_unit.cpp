// out = saturate(nearest((((A*X) >> Ax) + ((B*Y) >> By) + (C << Cs)) / 2^shift)), coefficients by
// channel, row or column
#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "npu/flow.h"

namespace lockstep {
namespace {

using Coefficient = NpuCoefficient;

// Table index of element n: how the unit's counters walk through the coefficient memory.
struct Walker {
  std::int64_t period, block, size;  // CHAN: index = (n / period) * block + n % block
  bool by_channel;
  std::int64_t at(std::int64_t n) const {
    return (by_channel ? n / period * block + n % block : n / period) % size;
  }
};

// Yields walker.at(0), at(1), ... without dividing.
class Cursor {
 public:
  explicit Cursor(const Walker& w) : w_(w) {}
  std::size_t next() {
    std::int64_t at = base_ + within_;
    if (at >= w_.size) at %= w_.size;
    if (w_.by_channel && ++within_ == w_.block) within_ = 0;
    if (++passed_ == w_.period) {
      passed_ = within_ = 0;
      base_ += w_.by_channel ? w_.block : 1;
      if (base_ >= w_.size) base_ %= w_.size;
    }
    return static_cast<std::size_t>(at);
  }

 private:
  const Walker& w_;
  std::int64_t base_ = 0, within_ = 0, passed_ = 0;
};

Walker walker_of(const NpuArith& a) {
  const std::int64_t d = std::max<std::int64_t>(a.batchDepth, 1),
                     w = std::max<std::int64_t>(a.fWidth, 1),
                     h = std::max<std::int64_t>(a.fHeight, 1);
  if (a.bcast == "ARITH_BCAST_CHAN")
    return {w * h * d, d, std::max<std::int64_t>(a.fChannels, 1), true};
  if (a.bcast == "ARITH_BCAST_HEIGHT") return {w * d, 1, h, false};
  if (a.bcast == "ARITH_BCAST_WIDTH") return {d, 1, w, false};
  if (a.bcast == "ARITH_BCAST_HEIGHT_WIDTH") return {d, 1, w * h, false};
  return {1, 1, 1, false};
}

Result<std::vector<std::int64_t>> table(std::int64_t address, std::int64_t count, std::int64_t bits,
                                        const NpuMemory& memory, const std::string& who) {
  const std::int64_t by = bits / 8;
  LOCKSTEP_TRY(const auto bytes, memory.read(static_cast<std::uint64_t>(address),
                                             static_cast<std::uint64_t>(count * by), who));
  std::vector<std::int64_t> out(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t v = 0;
    for (std::int64_t k = 0; k < by; ++k)
      v |= static_cast<std::int64_t>(bytes[static_cast<std::size_t>(i * by + k)]) << (8 * k);
    out[static_cast<std::size_t>(i)] = npu_wrap(v, static_cast<int>(by));
  }
  return out;
}

}  // namespace

Result<std::vector<NpuCoefficient>> arith_coefficients(const NpuArith& a, const NpuMemory& memory,
                                                       const std::string& who) {
  const std::int64_t b16 = npu_wrap(a.B_scalar, 2), c16 = npu_wrap(a.C_scalar, 2);
  const std::int64_t joined = npu_wrap((b16 << 16) | (c16 & 0xffff), 4);
  const Coefficient plain{npu_wrap(a.A_scalar, 2), a.combinebc != 0 ? 0 : b16,
                          a.combinebc != 0 ? joined : c16};
  if (a.scalar != 0) return std::vector<Coefficient>{plain};
  const std::int64_t n = walker_of(a).size;
  if (n > 512)
    return Error{who, fmt::format("{} coefficients", n), "at most 512 entries",
                 "more channels stream their constants"};
  std::vector<Coefficient> rows(static_cast<std::size_t>(n), plain);
  const auto fill = [&](std::int64_t address, std::int64_t bits, std::int64_t Coefficient::*slot,
                        std::int64_t sign) -> Result<void> {
    if (address == 0) return {};
    LOCKSTEP_TRY(const auto values, table(address, n, bits, memory, who));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*slot = sign * values[i];
    return {};
  };
  LOCKSTEP_CHECK(fill(a.A_vector, a.vec_precision[0], &Coefficient::a, 1));
  LOCKSTEP_CHECK(fill(a.C_vector, a.vec_precision[2], &Coefficient::c, c16 == -1 ? -1 : 1));
  if (a.combinebc == 0) LOCKSTEP_CHECK(fill(a.B_vector, a.vec_precision[1], &Coefficient::b, 1));
  return rows;
}

namespace {

std::int64_t operand(std::int64_t v, std::int64_t inbytes, std::int64_t outbytes,
                     std::int64_t saturate) {
  if (inbytes >= 1 && inbytes < 4) v = npu_wrap(v, static_cast<int>(inbytes));
  if (outbytes >= 1 && outbytes < inbytes)
    v = saturate != 0 ? npu_saturate(v, static_cast<int>(outbytes))
                      : npu_wrap(v, static_cast<int>(outbytes));
  return v;
}

struct Exit {
  const NpuArith& a;
  NpuTie tie;
  int shift, bytes;
  std::int64_t operator()(std::int64_t r) const {
    if (shift > 0) {
      if (a.rounding_o == 0)
        r = npu_shift(r, shift, NpuTie::floor);
      else
        r = tie == NpuTie::away ? npu_shift_away(r, shift) : npu_shift(r, shift, tie);
    }
    r = a.saturation_o != 0 ? npu_saturate(r, bytes) : npu_wrap(r, bytes);
    if (a.clipout != 0) r = std::clamp(r, std::min(a.clipmin, a.clipmax), a.clipmax);
    return r;
  }
};

using Row = std::vector<std::int32_t>;

// Inferred from how compiled PRELUs use it: between A and C.
void clip(const NpuArith& a, const Row& x, const Coefficient& k, const NpuRules& rules, Row& out) {
  const Exit leave{a, rules.arith, 0, static_cast<int>(a.outbytes_o)};
  for (std::size_t i = 0; i < x.size(); ++i)
    out[i] = static_cast<std::int32_t>(leave(std::clamp(
        operand(x[i], a.inbytes_x, a.outbytes_x, a.saturation_x), k.a, std::max(k.a, k.c))));
}

void affine(const NpuArith& a, const Row& x, const Row* y, const std::vector<Coefficient>& rows,
            const NpuRules& rules, Row& out) {
  const Walker walker = walker_of(a);
  const Exit leave{a, rules.arith, static_cast<int>(a.shift_o), static_cast<int>(a.outbytes_o)};
  const int ax = static_cast<int>(a.Ax_shift), by = static_cast<int>(a.By_shift),
            cs = static_cast<int>(a.C_shift);
  const bool single = rows.size() == 1;
  Cursor cursor(walker);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Coefficient& k = single ? rows[0] : rows[cursor.next()];
    std::int64_t r = k.a * operand(x[i], a.inbytes_x, a.outbytes_x, a.saturation_x);
    if (ax > 0) r = npu_shift(r, ax, rules.operand);
    if (y) {
      std::int64_t t = k.b * operand((*y)[i], a.inbytes_y, a.outbytes_y, a.saturation_y);
      if (by > 0) t = npu_shift(t, by, rules.operand);
      r += t;
    }
    out[i] = static_cast<std::int32_t>(leave(r + k.c * (std::int64_t{1} << cs)));
  }
}

void two_operands(const NpuArith& a, const Row& x, const Row& y, const NpuRules& rules, Row& out) {
  const Exit leave{a, rules.arith, static_cast<int>(a.shift_o), static_cast<int>(a.outbytes_o)};
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::int64_t p = operand(x[i], a.inbytes_x, a.outbytes_x, a.saturation_x);
    const std::int64_t q = operand(y[i], a.inbytes_y, a.outbytes_y, a.saturation_y);
    const std::int64_t r = a.operation == "ARITH_MUL"   ? p * q
                           : a.operation == "ARITH_MIN" ? std::min(p, q)
                                                        : std::max(p, q);
    out[i] = static_cast<std::int32_t>(leave(r));
  }
}

// Exact mode: the same over the reals; an 8-bit result is rounded half up, wider ones keep
// fractions.
void over_reals(const NpuArith& a, const std::vector<double>& x, const std::vector<double>* y,
                const std::vector<Coefficient>& rows, std::vector<double>& out) {
  const Walker walker = walker_of(a);
  const int bytes = static_cast<int>(a.outbytes_o);
  const auto enter = [](double v, std::int64_t inbytes) {
    return inbytes == 1 && v == std::floor(v)
               ? static_cast<double>(npu_wrap(static_cast<std::int64_t>(v), 1))
               : v;
  };
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Coefficient& k =
        rows.size() == 1 ? rows[0]
                         : rows[static_cast<std::size_t>(walker.at(static_cast<std::int64_t>(i)))];
    const double p = enter(x[i], a.inbytes_x), q = y ? enter((*y)[i], a.inbytes_y) : 0;
    double r = 0;
    if (a.operation == "ARITH_MUL")
      r = p * q;
    else if (a.operation == "ARITH_MIN")
      r = std::min(p, q);
    else if (a.operation == "ARITH_MAX")
      r = std::max(p, q);
    else if (a.operation == "ARITH_CLIP")
      r = std::clamp(p, static_cast<double>(k.a), static_cast<double>(std::max(k.a, k.c)));
    else
      r = std::ldexp(static_cast<double>(k.a) * p, -static_cast<int>(a.Ax_shift)) +
          std::ldexp(static_cast<double>(k.b) * q, -static_cast<int>(a.By_shift)) +
          std::ldexp(static_cast<double>(k.c), static_cast<int>(a.C_shift));
    r = std::ldexp(r, -static_cast<int>(a.shift_o));
    if (bytes < 2) {
      const auto whole = static_cast<std::int64_t>(std::floor(r + 0.5));
      r = static_cast<double>(a.saturation_o != 0 ? npu_saturate(whole, bytes)
                                                  : npu_wrap(whole, bytes));
      if (a.clipout != 0)
        r = std::clamp(r, static_cast<double>(a.clipmin), static_cast<double>(a.clipmax));
    }
    out[i] = r;
  }
}

}  // namespace

template <class T>
Result<NpuFlow<T>> run_arith(const NpuArith& a, const NpuFlow<T>& x, const NpuFlow<T>* y,
                             const NpuMemory& memory, const NpuRules& rules,
                             const std::string& who) {
  const NpuFrame<T> px = x.joined();
  const NpuFrame<T> py = y ? y->joined() : nullptr;
  if (py && py->size() != px->size())
    return Error{who,
                 fmt::format("operands of {} and {} elements", px->size(), py->size()),
                 "as many of both",
                 {}};
  const bool affine_op = a.operation == "ARITH_AFFINE", clips = a.operation == "ARITH_CLIP";
  if (!affine_op && !clips && !py)
    return Error{who, a.operation + " with one operand", "two operands", {}};
  std::vector<Coefficient> rows(1);
  if (affine_op || clips) {
    LOCKSTEP_TRY(rows, arith_coefficients(a, memory, who));
  }
  auto out = std::make_shared<std::vector<T>>(px->size());
  if constexpr (std::is_same_v<T, double>)
    over_reals(a, *px, py.get(), rows, *out);
  else if (affine_op)
    affine(a, *px, py.get(), rows, rules, *out);
  else if (clips)
    clip(a, *px, rows[0], rules, *out);
  else
    two_operands(a, *px, *py, rules, *out);
  if (x.frames.size() == 1) return NpuFlow<T>{{std::move(out)}};
  NpuFlow<T> framed;  // contexts behind this unit count the frames of its input
  std::ptrdiff_t at = 0;
  for (const NpuFrame<T>& f : x.frames) {
    const auto n = static_cast<std::ptrdiff_t>(f->size());
    framed.frames.push_back(
        std::make_shared<std::vector<T>>(out->begin() + at, out->begin() + at + n));
    at += n;
  }
  return framed;
}

template Result<NpuFlow<std::int32_t>> run_arith(const NpuArith&, const NpuFlow<std::int32_t>&,
                                                 const NpuFlow<std::int32_t>*, const NpuMemory&,
                                                 const NpuRules&, const std::string&);
template Result<NpuFlow<double>> run_arith(const NpuArith&, const NpuFlow<double>&,
                                           const NpuFlow<double>*, const NpuMemory&,
                                           const NpuRules&, const std::string&);

}  // namespace lockstep
