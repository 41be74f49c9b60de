#include "npu/seeded.h"

#include <fmt/core.h>

#include "npu/audit.h"
#include "npu/inner.h"

namespace lockstep {
namespace {

// What teacher-forced simulation says of a program: rows of the tensors that the model has, and of
// those that follow from it.
struct Rows {
  std::vector<NpuRow> mapped;
  std::vector<NpuInnerRow> inner;
};

Result<Rows> rows_of(const NpuProgram& p, const Graph& model, const NpuMapping& mapping,
                     std::span<const Sample> reference) {
  LOCKSTEP_TRY(NpuSimulator sim, NpuSimulator::make(std::make_shared<const NpuProgram>(p)));
  Rows rows;
  LOCKSTEP_TRY(rows.mapped, compare_epochs(sim, model, mapping, reference, NpuMode::forced));
  LOCKSTEP_TRY(rows.inner, compare_inner(sim, model, mapping, reference));
  return rows;
}

// The first epoch whose figures leave the clean program's; 0 when none does.
int departure(const Rows& got, const Rows& usual) {
  int first = 0;
  const auto at = [&](int epoch) { first = first == 0 ? epoch : std::min(first, epoch); };
  for (std::size_t i = 0; i < got.mapped.size() && i < usual.mapped.size(); ++i)
    if (const NpuRow& g = got.mapped[i], &u = usual.mapped[i];
        g.max_lsb > u.max_lsb || g.share > 1.5 * u.share + 0.001)
      at(g.epoch);
  for (std::size_t i = 0; i < got.inner.size() && i < usual.inner.size(); ++i)
    if (got.inner[i].wrong > usual.inner[i].wrong) at(got.inner[i].epoch);
  return first;
}

// Every byte of every tensor that the epochs make, teacher-forced; of one whose frames follow each
// other in the same place what is left there.
Result<std::uint64_t> print_of(const NpuProgram& p, const Graph& model, const NpuMapping& mapping,
                               std::span<const Sample> reference) {
  LOCKSTEP_TRY(NpuSimulator sim, NpuSimulator::make(std::make_shared<const NpuProgram>(p)));
  std::uint64_t print = 0xcbf29ce484222325u;
  for (const Sample& sample : reference) {
    LOCKSTEP_TRY(const Sample inputs, simulator_inputs(sim, model, mapping, sample));
    LOCKSTEP_CHECK(sim.run(inputs, [&](const NpuEpoch& e, NpuMemory& memory) -> Result<void> {
      for (const NpuBuffer* b : p.made_by(e.number)) {
        const auto add = [&](std::uint64_t byte) { print = (print ^ byte) * 0x100000001b3u; };
        if (is_whole(*b)) {
          LOCKSTEP_TRY(const Tensor t, read_buffer(*b, memory, p.file));
          for (const std::byte byte : t.bytes()) add(std::to_integer<std::uint64_t>(byte));
          continue;
        }
        const NpuRegion* r = memory.find(b->address(), static_cast<std::uint64_t>(b->bytes()));
        for (std::int64_t i = 0; r && i < b->bytes(); ++i) {
          const std::size_t at = b->address() - r->base + static_cast<std::size_t>(i);
          if (r->written.empty() || r->written[at] != 0) add(r->bytes[at]);
        }
      }
      return force_epoch(p, e, model, mapping, sample, memory);
    }));
  }
  return print;
}

void look(NpuBugTrial& t, const NpuProgram& p, const Graph& model, const NpuMapping& mapping,
          std::span<const Sample> reference, const Rows& usual, std::uint64_t usual_print) {
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
  if (const auto print = print_of(p, model, mapping, reference); !t.by_run && print.ok())
    t.without_effect = *print == usual_print;
  if (t.first.empty()) t.first = at == 0 ? "nothing" : fmt::format("departs in epoch {}", at);
}

}  // namespace

Result<std::vector<NpuBugTrial>> try_npu_bugs(const NpuProgram& program, const Graph& model,
                                              const NpuMapping& mapping,
                                              std::span<const Sample> reference, int seeds,
                                              std::uint64_t first_seed) {
  LOCKSTEP_TRY(const Rows usual, rows_of(program, model, mapping, reference));
  LOCKSTEP_TRY(const std::uint64_t print, print_of(program, model, mapping, reference));
  std::vector<NpuBugTrial> trials;
  for (const NpuBugKind& kind : npu_bug_kinds())
    for (int s = 0; s < seeds; ++s) {
      NpuProgram p = program;
      Random random(first_seed + static_cast<std::uint64_t>(s));
      NpuBugTrial t;
      t.kind = kind.name;
      if (const auto epoch = kind.plant(p, random)) {
        t.epoch = *epoch;
        look(t, p, model, mapping, reference, usual, print);
      }
      trials.push_back(std::move(t));
    }
  return trials;
}

}  // namespace lockstep
