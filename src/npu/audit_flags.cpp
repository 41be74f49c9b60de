// Results that drop bits without rounding, or wrap where they leave their width
#include <fmt/core.h>

#include "npu/audit.h"
#include "npu/flow.h"

namespace lockstep {
namespace {

struct Flags {
  const NpuSimulator& sim;
  const NpuEpochForm& form;
  std::vector<NpuFinding>& found;

  void say(NpuUnitId id, const char* rule, std::string what, std::string consequence, double lsb) {
    const NpuUnit* u = form.raw(id);
    found.push_back({rule, NpuSeverity::error, form.epoch->number, u ? u->name : text_of(id),
                     std::move(what), std::move(consequence),
                     "recompile, and report the compiler's release", lsb});
  }
  void truncates(NpuUnitId id, std::int64_t bits) {
    say(id, "rounding-off", fmt::format("the lowest {} bits are cut off instead of rounded", bits),
        "half a step too low on average", 0.5);
  }
  void wraps(NpuUnitId id, std::int64_t bytes) {
    say(id, "saturation-off", fmt::format("a result that leaves {} bits wraps", 8 * bytes),
        "the greatest values become the least", 255);
  }

  void check(NpuUnitId id, const NpuConv& c) {
    if (c.rounding_o == 0 && c.shift_o > 0) truncates(id, c.shift_o);
    if (c.saturation_o == 0) wraps(id, c.outbytes_o);
  }
  void check(NpuUnitId id, const NpuArith& a) {
    if (a.operation == "ARITH_MUL" || a.operation == "ARITH_AFFINE") {
      const bool exact = a.operation == "ARITH_AFFINE" && drops_nothing(a);
      if (a.rounding_o == 0 && a.shift_o > 0 && !exact) truncates(id, a.shift_o);
      if (a.saturation_o == 0 && !exact) wraps(id, a.outbytes_o);
    }
  }
  void check(NpuUnitId id, const NpuPoolUnit& p) {
    const bool mean = p.operation == "POOL_AVG" || p.operation == "POOL_GAVG";
    if (mean && p.rounding_o == 0 && p.shift_o > 0) truncates(id, p.shift_o);
    if (mean && p.saturation_o == 0) wraps(id, p.outbytes_o);
  }
  void check(NpuUnitId id, const NpuActiv& v) {
    if (v.operation != "ACTIV_FUNC") return;
    if (v.rounding_o == 0 && v.shift_o > 0) truncates(id, v.shift_o);
    if (v.saturation_o == 0) wraps(id, v.outbytes_o);
  }
  void check(NpuUnitId, const NpuStream&) {}

  // x plus a whole number, in one byte: a change of zero point, which wraps on purpose.
  bool drops_nothing(const NpuArith& a) const {
    if (a.dualinput != 0 || a.scalar == 0 || a.Ax_shift != 0 || a.outbytes_o != 1) return false;
    const auto rows = arith_coefficients(a, sim.memory(), "audit");
    const std::int64_t one = std::int64_t{1} << a.shift_o;
    return rows.ok() && rows->front().a == one &&
           rows->front().c * (std::int64_t{1} << a.C_shift) % one == 0;
  }
};

}  // namespace

void audit_flags(const NpuSimulator& sim, std::vector<NpuFinding>& found) {
  for (const NpuEpochForm& form : sim.epochs()) {
    Flags flags{sim, form, found};
    for (const auto& [id, unit] : form.units)
      std::visit([&, at = id](const auto& u) { flags.check(at, u); }, unit);
  }
}

}  // namespace lockstep
