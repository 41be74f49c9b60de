// Partial sums at the weight of those that they join; padding before the first row and column
// against the model's, crops counted off; sums that arrive and are not added
#include <optional>

#include <fmt/core.h>

#include "npu/audit.h"

namespace lockstep {
namespace {

constexpr const char* recompile = "recompile, and report the compiler's release";

struct UnitSide {
  std::int64_t in, kernel, stride, before, out;
};

// Only a unit that takes the whole extent under the whole kernel can be held to it: maps are cut
// into columns, kernels into rows.
void check_side(const char* what, const UnitSide& u, const ModelSide& m, const NpuLayer& l,
                const std::string& where, std::vector<NpuFinding>& found) {
  if (m.in == 0 || u.in != m.in || u.kernel != m.kernel || u.stride != m.stride || u.out != m.out ||
      u.before == m.before)
    return;
  found.push_back(
      {"padding-wrong", NpuSeverity::error, l.epoch, where,
       fmt::format("{} {} before the first, the model says {}", u.before, what, m.before),
       "every output comes from another place", recompile, 255});
}

void check_sums(const NpuEpochForm& form, std::vector<NpuFinding>& found) {
  for (const auto& [to, link] : form.links) {
    const auto* c =
        to.unit.kind == NpuKind::conv && to.port == 2 ? form.find<NpuConv>(to.unit) : nullptr;
    const NpuUnit* u = c && c->accumulate == 0 ? form.raw(to.unit) : nullptr;
    if (u)
      found.push_back({"sums-dropped", NpuSeverity::error, form.epoch->number, u->name,
                       fmt::format("{} sends partial sums that are not added",
                                   text_of(link.from[0].source.unit)),
                       "input channels or rows of the kernel are lost", recompile, 255});
  }
}

// Where partial sums come from or go to: one step of them is worth 2^shift.
struct Handed {
  std::int64_t shift = 0;
  std::string by;
};

// The 16-bit sums that a stream engine reads or writes; their steps are in the buffer's table.
const NpuBuffer* sums_at(const NpuSimulator& sim, const NpuEpochForm& form, NpuUnitId stream) {
  const NpuUnit* u = form.raw(stream);
  const NpuBuffer* b = u && !u->buffer.empty() ? sim.program().find_buffer(u->buffer) : nullptr;
  return b && b->type == "DataType_FXP" && b->nbits == 16 && b->scale.size() <= 1 ? b : nullptr;
}

// What `source` hands to a port for partial sums, over memory of this epoch or of an earlier one
// too.
std::optional<Handed> handed(const NpuSimulator& sim, const NpuEpochForm& form, NpuUnitId source) {
  if (const auto* c = form.find<NpuConv>(source)) return Handed{c->shift_o, text_of(source)};
  const auto* r = form.find<NpuStream>(source);
  if (!r || r->writes()) return std::nullopt;
  for (const auto& [to, link] : form.links) {
    const auto* w = form.find<NpuStream>(to.unit);
    const auto* c = form.find<NpuConv>(link.from[0].source.unit);
    if (w && c && w->writes() && w->address() == r->address())
      return Handed{c->shift_o, text_of(link.from[0].source.unit)};
  }
  const NpuBuffer* b = sums_at(sim, form, source);
  return b ? std::optional(Handed{-b->qn, b->name}) : std::nullopt;
}

// Partial sums must be added at the weight at which they were handed on.
void check_weight(const NpuSimulator& sim, const NpuEpochForm& form,
                  std::vector<NpuFinding>& found) {
  for (const auto& [to, link] : form.links) {
    const auto* c =
        to.unit.kind == NpuKind::conv && to.port == 2 ? form.find<NpuConv>(to.unit) : nullptr;
    const NpuUnit* u =
        c && c->accumulate != 0 && link.from.size() == 1 ? form.raw(to.unit) : nullptr;
    const auto from = u ? handed(sim, form, link.from[0].source.unit) : std::nullopt;
    if (!from || from->shift == c->shift_a) continue;
    found.push_back(
        {"sums-misaligned", NpuSeverity::error, form.epoch->number, u->name,
         fmt::format("partial sums of {} in steps of 2^{} are added in steps of 2^{}", from->by,
                     from->shift, c->shift_a),
         "a part of the kernel or of the input channels counts more or less than the rest",
         recompile, 255});
  }
}

// Two parts of one kernel whose sums an arithmetic unit adds up, one perhaps from memory: as they
// are, in the same steps.
void check_joined(const NpuSimulator& sim, const NpuEpochForm& form,
                  std::vector<NpuFinding>& found) {
  for (const auto& [id, unit] : form.units) {
    const auto* c = std::get_if<NpuConv>(&unit);
    const auto parts = c ? npu_joined_sums(form, id) : std::nullopt;
    const auto left = c ? npu_left_sums(sim.program(), form, id) : std::nullopt;
    if (!left && (!parts || !parts->first)) continue;
    const NpuUnitId joiner = left ? left->joiner : parts->joiner;
    const std::int64_t other = left ? -left->buffer->qn : form.find<NpuConv>(parts->other)->shift_o;
    const std::string by = left ? left->buffer->name : text_of(parts->other);
    const auto& a = *form.find<NpuArith>(joiner);
    const bool plain = a.operation == "ARITH_AFFINE" && a.scalar != 0 && a.A_scalar == 1 &&
                       a.B_scalar == 1 && a.C_scalar == 0 && a.Ax_shift == 0 && a.By_shift == 0 &&
                       a.shift_o == 0;
    if (plain && c->shift_o == other) continue;
    found.push_back(
        {"sums-misaligned", NpuSeverity::error, form.epoch->number, form.raw(joiner)->name,
         plain ? fmt::format("adds sums in steps of 2^{} ({}) and 2^{} ({})", c->shift_o,
                             text_of(id), other, by)
               : fmt::format("adds up {} and {} otherwise than as they are", text_of(id), by),
         "a part of the kernel counts more or less than the rest", recompile, 255});
  }
}

// Sums that go to memory must be in the steps that the buffer's table says.
void check_stored(const NpuSimulator& sim, const NpuEpochForm& form,
                  std::vector<NpuFinding>& found) {
  for (const auto& [to, link] : form.links) {
    const auto* c = form.find<NpuConv>(link.from[0].source.unit);
    const auto* w = form.find<NpuStream>(to.unit);
    const NpuBuffer* b = c && w && w->writes() ? sums_at(sim, form, to.unit) : nullptr;
    if (b && b->epoch == form.epoch->number && -b->qn != c->shift_o)
      found.push_back(
          {"sums-misaligned", NpuSeverity::error, form.epoch->number, b->name,
           fmt::format("sums in steps of 2^{} are stored as steps of 2^{}", c->shift_o, -b->qn),
           "what reads them takes them for more or less than they are", recompile, 255});
  }
}

}  // namespace

void audit_windows(const NpuSimulator& sim, const std::vector<NpuLayerPair>& pairs,
                   std::vector<NpuFinding>& found) {
  for (const NpuEpochForm& form : sim.epochs()) {
    check_sums(form, found);
    check_weight(sim, form, found);
    check_stored(sim, form, found);
    check_joined(sim, form, found);
    for (const NpuLayerPair& p : pairs) {
      const ModelLayer* m = p.model ? p.model : p.piece_of;
      if (!m || p.layer->epoch != form.epoch->number) continue;
      for (const NpuUnitId id : p.layer->convs) {
        const auto* c = form.find<NpuConv>(id);
        if (!c) continue;
        const std::string where = fmt::format("{} ({})", p.layer->node, m->node);
        check_side(
            "columns",
            {c->fWidth, c->kernelWidth, c->hstride, c->left_padding - c->left_crop, c->out_width()},
            m->columns, *p.layer, where, found);
        check_side("rows",
                   {c->fHeight, c->kernelHeight, c->vstride, c->top_padding - c->top_crop,
                    c->out_height()},
                   m->rows, *p.layer, where, found);
      }
    }
  }
}

}  // namespace lockstep
