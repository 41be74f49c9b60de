#include "npu/seeded.h"

#include <fmt/core.h>

#include "npu/audit.h"

namespace lockstep {
namespace {

Result<std::vector<NpuRow>> rows_of(const NpuProgram& p, const Graph& model,
                                    const NpuMapping& mapping, std::span<const Sample> reference) {
  LOCKSTEP_TRY(NpuSimulator sim, NpuSimulator::make(std::make_shared<const NpuProgram>(p)));
  return compare_epochs(sim, model, mapping, reference, NpuMode::forced);
}

// The first epoch whose figures leave the clean program's; 0 when none does.
int departure(const std::vector<NpuRow>& got, const std::vector<NpuRow>& usual) {
  for (std::size_t i = 0; i < got.size() && i < usual.size(); ++i)
    if (got[i].max_lsb > usual[i].max_lsb || got[i].share > 1.5 * usual[i].share + 0.001)
      return got[i].epoch;
  return 0;
}

void look(NpuBugTrial& t, const NpuProgram& p, const Graph& model, const NpuMapping& mapping,
          std::span<const Sample> reference, const std::vector<NpuRow>& usual) {
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(p));
  if (sim.ok())
    if (const auto found = audit_npu(*sim, &model); found.ok())
      for (const NpuFinding& f : *found) {
        if (f.severity != NpuSeverity::error) continue;
        if (t.first.empty()) t.first = fmt::format("{} in epoch {}", f.rule, f.epoch);
        t.by_audit = t.by_audit || f.epoch == t.epoch;
      }
  if (t.by_audit) return;
  const auto rows = rows_of(p, model, mapping, reference);
  const std::string place = fmt::format("epoch {}:", t.epoch);
  const int at = rows.ok()                                              ? departure(*rows, usual)
                 : rows.error().line().find(place) != std::string::npos ? t.epoch
                                                                        : 0;
  t.by_run = at == t.epoch;
  if (t.first.empty()) t.first = at == 0 ? "nothing" : fmt::format("departs in epoch {}", at);
}

}  // namespace

Result<std::vector<NpuBugTrial>> try_npu_bugs(const NpuProgram& program, const Graph& model,
                                              const NpuMapping& mapping,
                                              std::span<const Sample> reference, int seeds,
                                              std::uint64_t first_seed) {
  LOCKSTEP_TRY(const std::vector<NpuRow> usual, rows_of(program, model, mapping, reference));
  std::vector<NpuBugTrial> trials;
  for (const NpuBugKind& kind : npu_bug_kinds())
    for (int s = 0; s < seeds; ++s) {
      NpuProgram p = program;
      Random random(first_seed + static_cast<std::uint64_t>(s));
      NpuBugTrial t;
      t.kind = kind.name;
      if (const auto epoch = kind.plant(p, random)) {
        t.epoch = *epoch;
        look(t, p, model, mapping, reference, usual);
      }
      trials.push_back(std::move(t));
    }
  return trials;
}

}  // namespace lockstep
