// Padding before the first row and column against the model's, crops counted off; sums that arrive
// and are not added
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

}  // namespace

void audit_windows(const NpuSimulator& sim, const std::vector<NpuLayerPair>& pairs,
                   std::vector<NpuFinding>& found) {
  for (const NpuEpochForm& form : sim.epochs()) {
    check_sums(form, found);
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
