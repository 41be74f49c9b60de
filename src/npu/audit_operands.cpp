// sat8(rnd((A*x + B*y + C) / 2^sh)) against nearest(x_scale/z_scale*(x - x0) + y_scale/z_scale*(y -
// y0) + z0), all 65,536 pairs
#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/core.h>

#include "npu/audit.h"
#include "npu/flow.h"
#include "npu/operands.h"
#include "num/npu_rules.h"

namespace lockstep {
namespace {

void check_add(const NpuOperands& c, NpuUnitId id, const NpuArith& a,
               std::vector<NpuFinding>& found) {
  const NpuYield yield = c.yields(id);
  const NpuBuffer* out = yield.buffer;
  const NpuCodes x = c.arriving(id, 0), y = c.arriving(id, 1);
  if (!out || out->scale.size() != 1 || !x.known() || !y.known() || a.scalar == 0) return;
  if (a.inbytes_x != 1 || a.inbytes_y != 1)
    return;  // a product that passed as 16 bits: not two operands of one byte
  const double minus = c.subtracts(id, *out) ? -1 : 1;
  const double zs = out->scale[0];
  const std::int64_t zz = yield.zero;
  std::int64_t differ = 0;
  double worst = 0;
  const std::int64_t A = npu_wrap(a.A_scalar, 2), B = npu_wrap(a.B_scalar, 2),
                     C = npu_wrap(a.C_scalar, 2);
  for (std::int64_t p = -128; p < 128; ++p)
    for (std::int64_t q = -128; q < 128; ++q) {
      const std::int64_t r = npu_shift(A * p, static_cast<int>(a.Ax_shift), NpuTie::floor) +
                             npu_shift(B * q, static_cast<int>(a.By_shift), NpuTie::floor) +
                             C * (std::int64_t{1} << a.C_shift);
      const std::int64_t got =
          npu_saturate(npu_shift(r, static_cast<int>(a.shift_o), NpuTie::away), 1);
      const double exact = static_cast<double>(p - x.zero) * x.scale / zs +
                           minus * static_cast<double>(q - y.zero) * y.scale / zs +
                           static_cast<double>(zz);
      const auto want = std::clamp<std::int64_t>(npu_nearest(exact), -128, 127);
      differ += got != want;
      worst = std::max(worst, std::abs(static_cast<double>(got - want)));
    }
  const NpuUnit* u = c.form.raw(id);
  NpuAddConstants rule =
      npu_add_constants(x.scale, x.zero, y.scale, minus < 0 ? -y.zero : y.zero, zs, zz);
  if (minus < 0) rule.b = -rule.b;
  const bool by_rule = A == rule.a && B == rule.b && C == rule.c && a.C_shift == rule.c_shift &&
                       a.shift_o == rule.shift && a.Ax_shift == rule.a_shift &&
                       a.By_shift == rule.b_shift;
  if (worst > 1 && by_rule)
    found.push_back({"operands-lost-bits", NpuSeverity::warning, c.form.epoch->number,
                     u ? u->name : text_of(id),
                     fmt::format("{} of 65536 operand pairs differ by up to {:.0f} LSB, as the "
                                 "compiler's rule has it for these scales",
                                 differ, worst),
                     fmt::format("codes off by up to {:.0f} LSB", worst),
                     "an output scale nearer to the operands'", worst});
  else if (worst > 1)
    found.push_back(
        {"operands-wrong", NpuSeverity::error, c.form.epoch->number, u ? u->name : text_of(id),
         fmt::format(
             "{} of 65536 operand pairs differ by up to {:.0f} LSB; A {} >> {}, B {} >> {}, C {} "
             "<< {}, shift {}; the rule gives A {} >> {}, B {} >> {}, C {} << {}, shift {}",
             differ, worst, A, a.Ax_shift, B, a.By_shift, C, a.C_shift, a.shift_o, rule.a,
             rule.a_shift, rule.b, rule.b_shift, rule.c, rule.c_shift, rule.shift),
         fmt::format("codes off by up to {:.0f} LSB", worst),
         "run this Add on the CPU, or give both operands one scale; report the compiler's release",
         worst});
  else if (A != rule.a || B != rule.b || a.shift_o != rule.shift || a.Ax_shift != rule.a_shift ||
           a.By_shift != rule.b_shift)
    found.push_back({"operands-off-rule", NpuSeverity::note, c.form.epoch->number,
                     u ? u->name : text_of(id),
                     fmt::format("A {} >> {}, B {} >> {}, shift {}; the rule gives A {} >> {}, B "
                                 "{} >> {}, shift {}; {} of 65536 pairs differ by 1 LSB",
                                 A, a.Ax_shift, B, a.By_shift, a.shift_o, rule.a, rule.a_shift,
                                 rule.b, rule.b_shift, rule.shift, differ),
                     "at most 1 LSB", "", 1});
}

// Of a sum one of whose operands no table states: the other's coefficient is its scale's, and the
// constant leaves the unstated one a whole zero point of a code.
void check_known_operand(const NpuOperands& c, NpuUnitId id, const NpuArith& a,
                         std::vector<NpuFinding>& found) {
  const NpuYield yield = c.yields(id);
  const NpuCodes x = c.arriving(id, 0), y = c.arriving(id, 1);
  if (!yield.buffer || yield.buffer->scale.size() != 1 || x.known() == y.known() || a.scalar == 0 ||
      a.inbytes_x != 1 || a.inbytes_y != 1)
    return;
  const auto factor = [&](std::int64_t coefficient, std::int64_t own) {
    return std::ldexp(static_cast<double>(npu_wrap(coefficient, 2)),
                      -static_cast<int>(a.shift_o + own));
  };
  const double ra = factor(a.A_scalar, a.Ax_shift), rb = factor(a.B_scalar, a.By_shift);
  const NpuCodes& known = x.known() ? x : y;
  const double mine = x.known() ? ra : rb, other = x.known() ? rb : ra,
               want = known.scale / yield.buffer->scale[0];
  const double constant = std::ldexp(static_cast<double>(npu_wrap(a.C_scalar, 2)),
                                     static_cast<int>(a.C_shift - a.shift_o));
  const double zero =
      (static_cast<double>(yield.zero) - static_cast<double>(known.zero) * mine - constant) / other;
  const double slack =
      0.1 + std::ldexp(2.0, static_cast<int>(a.C_shift - a.shift_o)) / std::abs(other);
  const bool scaled = std::abs(std::abs(mine) / want - 1) <= 1e-3;
  const bool whole =
      slack > 0.4 || (std::abs(std::remainder(zero, 1.0)) <= slack && zero > -129 && zero < 128);
  if (scaled && whole) return;
  const NpuUnit* u = c.form.raw(id);
  found.push_back(
      {"operands-wrong", NpuSeverity::error, c.form.epoch->number, u ? u->name : text_of(id),
       scaled ? fmt::format("its constant leaves an operand the zero point {:.2f}", zero)
              : fmt::format("a coefficient of {:.6g}, the scales ask for {:.6g}", std::abs(mine),
                            want),
       "codes of the sum are off", "recompile, and report the compiler's release", 255});
}

// A unit that only moves codes to another zero point, or requantizes them: y = m x + c.
void check_single(const NpuOperands& c, NpuUnitId id, const NpuArith& a,
                  std::vector<NpuFinding>& found) {
  const NpuBuffer* out = c.stored(id);
  const NpuCodes x = c.arriving(id, 0);
  const auto added = c.shifts_codes(a);
  if (out && added && *added != 128 && out->type == "DataType_UINT8" &&
      (out->zero.empty() || out->zero[0] == 0) && (!x.known() || c.stated()))
    found.push_back({"zero-point-wrong", NpuSeverity::error, c.form.epoch->number,
                     c.form.raw(id) ? c.form.raw(id)->name : text_of(id),
                     fmt::format("{} is added to codes that are stored unsigned", *added),
                     "codes wrap at 0 and 255", "recompile, and report the compiler's release",
                     128});
  if (!out || out->scale.size() != 1 || !x.known() || a.scalar == 0 || a.outbytes_o != 1) return;
  const auto rows = arith_coefficients(a, c.sim.memory(), "audit");
  if (!rows.ok()) return;
  const double down = std::ldexp(1.0, -static_cast<int>(a.shift_o));
  const double m =
      static_cast<double>(rows->front().a) * down * std::ldexp(1.0, -static_cast<int>(a.Ax_shift));
  const double offset =
      static_cast<double>(rows->front().c) * std::ldexp(down, static_cast<int>(a.C_shift));
  const double want = x.scale / out->scale[0];
  const double zero = static_cast<double>(out->zero.empty() ? 0 : out->zero[0]) -
                      want * static_cast<double>(x.zero);
  const double off = 128 * std::abs(m - want) + std::abs(offset - zero);
  if (off > 0.5)
    found.push_back(
        {"zero-point-wrong", NpuSeverity::error, c.form.epoch->number,
         c.form.raw(id) ? c.form.raw(id)->name : text_of(id),
         fmt::format(
             "codes become {:.5g} x + {:.3f}, scales and zero points ask for {:.5g} x + {:.3f}", m,
             offset, want, zero),
         fmt::format("codes off by up to {:.0f} LSB", off),
         "a zero point or a scale is lost: recompile, and report the compiler's release", off});
}

// Average units: mulval / 2^shift * A / 2^(Ax + sh) against the scales and the number of elements.
void check_average(const NpuOperands& c, NpuUnitId id, const NpuPoolUnit& p,
                   std::vector<NpuFinding>& found) {
  const NpuCodes x = c.arriving(id, 0);
  NpuUnitId next{};
  const NpuArith* a = nullptr;
  for (const auto& [to, link] : c.form.links)
    if (link.from[0].source.unit == id && to.unit.kind == NpuKind::arith)
      next = to.unit, a = c.form.find<NpuArith>(next);
  if (!a || a->scalar == 0 || a->dualinput != 0 || p.operation != "POOL_GAVG" || !x.known()) return;
  const NpuBuffer* out = c.stored(next);
  for (const auto& [to, link] : c.form.links)
    if (!out && link.from[0].source.unit == next && to.unit.kind == NpuKind::arith)
      out = c.stored(to.unit);
  if (!out || out->scale.size() != 1) return;
  const double mean =
      std::ldexp(static_cast<double>(p.mulval & 0xffff), -static_cast<int>(p.shift_o));
  const double m = mean * std::ldexp(static_cast<double>(npu_wrap(a->A_scalar, 2)),
                                     -static_cast<int>(a->Ax_shift + a->shift_o));
  const double want = x.scale / out->scale[0] / static_cast<double>(p.inputX * p.inputY);
  if (std::abs(m / want - 1) > 1e-3)
    found.push_back(
        {"multiplier-wrong", NpuSeverity::error, c.form.epoch->number,
         c.form.raw(id) ? c.form.raw(id)->name : text_of(id),
         fmt::format("the average is scaled by {:.6g}, scales and window ask for {:.6g}", m, want),
         fmt::format("codes off by up to {:.0f} LSB",
                     std::min(255.0, 255 * std::abs(m / want - 1))),
         "recompile, and report the compiler's release", 255 * std::abs(m / want - 1)});
}

// An average multiplies by 2^k over the number of elements: k fraction bits.
void check_window(const NpuOperands& c, NpuUnitId id, const NpuPoolUnit& p,
                  std::vector<NpuFinding>& found) {
  if (p.operation != "POOL_GAVG" || p.mulval == 0) return;
  const double gain =
      std::ldexp(static_cast<double>(p.mulval & 0xffff), -static_cast<int>(p.shift_o)) *
      static_cast<double>(p.inputX * p.inputY);
  const double off = gain / std::exp2(std::floor(std::log2(gain) + 0.5)) - 1;
  if (std::abs(off) > 1e-3)
    found.push_back(
        {"multiplier-wrong", NpuSeverity::error, c.form.epoch->number,
         c.form.raw(id) ? c.form.raw(id)->name : text_of(id),
         fmt::format("the average over {} x {} is {:.2f} % off", p.inputX, p.inputY, 100 * off),
         fmt::format("codes off by up to {:.0f} LSB", std::min(255.0, 255 * std::abs(off))),
         "recompile, and report the compiler's release", 255 * std::abs(off)});
}

// The codes that a convolution takes must have their zero point removed, before or in the unit.
void check_features(const NpuOperands& c, NpuUnitId id, const NpuConv& conv,
                    std::vector<NpuFinding>& found) {
  const NpuUnitId from = c.source(id, 0);
  const bool read = from.kind == NpuKind::stream;  // else they enter as a unit beside stores them
  const NpuBuffer* b = read ? c.buffer(from, c.form.epoch->number) : c.stored(from);
  if (!b || b->scale.size() != 1 || (!read && (b->nbits != 8 || from.kind == NpuKind::conv)))
    return;
  if (conv.zfbias != 0) return;  // pads codes for a maximum: nothing is multiplied
  const std::int64_t zero = b->zero.empty() ? 0 : b->zero[0];
  const bool is_unsigned = b->type == "DataType_UINT8";
  const std::string where = c.form.raw(id) ? c.form.raw(id)->name : text_of(id);
  if (zero != conv.fsub)
    found.push_back(
        {"zero-point-wrong", NpuSeverity::error, c.form.epoch->number, where,
         fmt::format("features of zero point {} enter with {} subtracted", zero, conv.fsub),
         fmt::format("every feature is off by {} LSB", std::abs(zero - conv.fsub)),
         "recompile, and report the compiler's release",
         static_cast<double>(std::abs(zero - conv.fsub))});
  if (conv.inbytes_f != 2 && is_unsigned != (conv.f_unsigned != 0))
    found.push_back({"zero-point-wrong", NpuSeverity::error, c.form.epoch->number, where,
                     fmt::format("{} features taken as {}", b->type,
                                 conv.f_unsigned != 0 ? "unsigned" : "signed"),
                     "codes of 128 and more change their sign",
                     "recompile, and report the compiler's release", 256});
}

}  // namespace

Result<void> audit_operands(const NpuSimulator& sim, const std::vector<NpuLayerPair>& pairs,
                            std::vector<NpuFinding>& found) {
  for (const NpuEpochForm& form : sim.epochs()) {
    const NpuOperands c{sim, pairs, form};
    for (const auto& [id, unit] : form.units) {
      if (const auto* a = std::get_if<NpuArith>(&unit); a && a->operation == "ARITH_AFFINE") {
        if (a->dualinput != 0)
          check_add(c, id, *a, found), check_known_operand(c, id, *a, found);
        else
          check_single(c, id, *a, found);
      }
      if (const auto* p = std::get_if<NpuPoolUnit>(&unit))
        check_average(c, id, *p, found), check_window(c, id, *p, found);
      if (const auto* v = std::get_if<NpuConv>(&unit)) check_features(c, id, *v, found);
    }
  }
  return {};
}

}  // namespace lockstep
