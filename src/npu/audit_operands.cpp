// sat8(rnd((A*x + B*y + C) / 2^sh)) against nearest(x_scale/z_scale*(x - x0) + y_scale/z_scale*(y -
// y0) + z0), all 65,536 pairs
#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/core.h>

#include "npu/audit.h"
#include "npu/flow.h"
#include "num/npu_rules.h"

namespace lockstep {
namespace {

struct Codes {
  double scale = 0;
  std::int64_t zero = 0;
  bool known() const { return scale > 0; }
};

struct Checker {
  const NpuSimulator& sim;
  const std::vector<NpuLayerPair>& pairs;
  const NpuEpochForm& form;

  const NpuBuffer* buffer(NpuUnitId id, int epoch) const {
    const auto* s = form.find<NpuStream>(id);
    const NpuUnit* u = form.raw(id);
    return s && u ? buffer_of(sim.program(), *u, *s, epoch) : nullptr;
  }
  NpuUnitId source(NpuUnitId id, int port) const {
    const auto it = form.links.find({id, port});
    return it == form.links.end() ? NpuUnitId{NpuKind::recbuf, 9} : it->second.from[0].source.unit;
  }
  // The codes that arrive at a port: of a buffer, or of a layer requantized in this epoch.
  Codes arriving(NpuUnitId id, int port) const {
    const NpuUnitId from = source(id, port);
    if (from.kind == NpuKind::stream) {
      const NpuBuffer* b = buffer(from, form.epoch->number);
      return b && b->scale.size() == 1 ? Codes{b->scale[0], b->zero.empty() ? 0 : b->zero[0]}
                                       : Codes{};
    }
    for (const NpuLayerPair& p : pairs)
      if (p.model && p.layer->codes_epoch == form.epoch->number && !p.layer->stages.empty() &&
          p.layer->stages.back().id == from)
        return {p.model->y_scale, p.model->y_zero};
    return {};
  }
  // By the operator of the unit's node; by the name of what it makes where the file says neither.
  bool subtracts(NpuUnitId id, const NpuBuffer& out) const {
    const NpuUnit* u = form.raw(id);
    const std::string node = u ? u->name.substr(0, u->name.rfind("_init")) : "";
    for (const auto& [name, op] : form.epoch->nodes)
      if (name == node) return op == "Sub";
    return out.name.starts_with("Sub_");
  }
  // The codes that an arithmetic unit's result is stored as, when it goes to memory as it is.
  const NpuBuffer* stored(NpuUnitId id) const {
    for (const auto& [to, link] : form.links)
      if (link.from[0].source.unit == id && to.unit.kind == NpuKind::stream)
        return buffer(to.unit, form.epoch->number + 1);
    return nullptr;
  }
};

// A unit that takes codes to another zero point and nothing else: what it adds.
std::optional<std::int64_t> shifts_codes(const Checker& c, const NpuArith& a) {
  if (a.operation != "ARITH_AFFINE" || a.dualinput != 0 || a.scalar == 0 || a.outbytes_o != 1 ||
      a.Ax_shift != 0 || a.shift_o < 0 || a.shift_o > 47)
    return {};
  const auto rows = arith_coefficients(a, c.sim.memory(), "audit");
  const std::int64_t one = std::int64_t{1} << a.shift_o;
  if (!rows.ok() || rows->front().a != one) return {};
  const std::int64_t added = rows->front().c * (std::int64_t{1} << a.C_shift);
  return added % one == 0 ? std::optional(added / one) : std::nullopt;
}

// The codes that a unit yields: of the buffer that it goes to, also behind a change of zero point.
struct Yield {
  const NpuBuffer* buffer = nullptr;
  std::int64_t zero = 0;
};
Yield yields(const Checker& c, NpuUnitId id) {
  const auto zero = [](const NpuBuffer& b) { return b.zero.empty() ? 0 : b.zero[0]; };
  if (const NpuBuffer* b = c.stored(id)) return {b, zero(*b)};
  for (const auto& [to, link] : c.form.links) {
    const auto* next = link.from[0].source.unit == id ? c.form.find<NpuArith>(to.unit) : nullptr;
    const auto added = next ? shifts_codes(c, *next) : std::nullopt;
    const NpuBuffer* b = added ? c.stored(to.unit) : nullptr;
    if (b) return {b, zero(*b) - *added};
  }
  return {};
}

void check_add(const Checker& c, NpuUnitId id, const NpuArith& a, std::vector<NpuFinding>& found) {
  const Yield yield = yields(c, id);
  const NpuBuffer* out = yield.buffer;
  const Codes x = c.arriving(id, 0), y = c.arriving(id, 1);
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

// A unit that only moves codes to another zero point, or requantizes them: y = m x + c.
void check_single(const Checker& c, NpuUnitId id, const NpuArith& a,
                  std::vector<NpuFinding>& found) {
  const NpuBuffer* out = c.stored(id);
  const Codes x = c.arriving(id, 0);
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
void check_average(const Checker& c, NpuUnitId id, const NpuPoolUnit& p,
                   std::vector<NpuFinding>& found) {
  const Codes x = c.arriving(id, 0);
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
void check_window(const Checker& c, NpuUnitId id, const NpuPoolUnit& p,
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
void check_features(const Checker& c, NpuUnitId id, const NpuConv& conv,
                    std::vector<NpuFinding>& found) {
  const NpuUnitId from = c.source(id, 0);
  if (from.kind != NpuKind::stream) return;
  const NpuBuffer* b = c.buffer(from, c.form.epoch->number);
  if (!b || b->scale.size() != 1) return;
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
    const Checker c{sim, pairs, form};
    for (const auto& [id, unit] : form.units) {
      if (const auto* a = std::get_if<NpuArith>(&unit); a && a->operation == "ARITH_AFFINE") {
        if (a->dualinput != 0)
          check_add(c, id, *a, found);
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
