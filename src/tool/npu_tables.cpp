#include "tool/npu_tables.h"

#include <fmt/core.h>

namespace lockstep {

void print_npu_rows(std::span<const NpuRow> rows) {
  fmt::print("{:>5}  {:44} {:>7} {:>10} {:>9} {:>11}\n", "epoch", "buffer", "max LSB", "differ %",
             "cosine", "mean signed");
  for (const NpuRow& r : rows)
    fmt::print("{:5}  {:44} {:7.0f} {:10.3f} {:9.6f} {:+11.4f}  {}\n", r.epoch, r.buffer, r.max_lsb,
               r.shown_percent, r.cosine, r.shown_mean, r.value);
}

void print_npu_inner(std::span<const NpuInnerRow> rows) {
  for (const NpuInnerRow& r : rows)
    if (r.wrong > 0)
      fmt::print("{:5}  {:44} {} of {} are not what {} says, off by up to {:.0f} steps\n", r.epoch,
                 r.buffer, r.wrong, r.count, r.of, r.worst);
}

void print_npu_attribution(std::span<const NpuAttribution> rows, const std::string& versus,
                           const std::string& ties) {
  fmt::print(
      "{:>5}  {:44} {:>8} {:>8} {:>8} {:>8} {:>10} {:>11} {:>7} {:>9} {:>8} {:>8} {:>7} {:>9} "
      "{:>8}\n",
      "epoch", "buffer", "codes", "differ", "over 1", "rounding", "16-b sums", "16-b factor",
      "tables", "saturated", "arrives", "unexpl.", "ties", "RMS pred.", "measured");
  std::int64_t above = 0, open = 0, unexplained = 0;
  for (const NpuAttribution& r : rows) {
    fmt::print(
        "{:5}  {:44} {:8} {:8} {:8} {:8} {:10} {:11} {:7} {:9} {:8} {:8} {:7} {:9.4f} {:8.4f}  "
        "{}\n",
        r.epoch, r.buffer, r.count, r.differing, r.above_one, r.rounding, r.sums, r.multiplier,
        r.tables, r.saturated, r.arriving, r.unexplained, r.ties, r.predicted_rms, r.measured_rms,
        r.node);
    above += r.above_one, open += r.above_one_unexplained, unexplained += r.unexplained;
  }
  fmt::print(
      "{} codes differ by more than one LSB, {} of them without a predicted cause; {} differing "
      "codes unexplained; ties: codes that {} instead of {} changes\n",
      above, open, unexplained, versus, ties);
}

void print_npu_trials(std::span<const NpuBugTrial> trials) {
  fmt::print("{:36} {:>7} {:>6} {:>6} {:>7} {:>9}  {}\n", "kind", "planted", "audit", "run",
             "missed", "no effect", "first missed");
  int planted_all = 0, missed_all = 0, kinds = 0, idle_all = 0;
  for (const NpuBugKind& kind : npu_bug_kinds()) {
    int planted = 0, audit = 0, run = 0, idle = 0, places = 0;
    std::string missed;
    for (const NpuBugTrial& t : trials) {
      if (t.kind != kind.name || t.epoch == 0) continue;
      ++places;
      if (t.without_effect) {
        ++idle;
        continue;
      }
      ++planted, audit += t.by_audit, run += t.by_run;
      if (!t.by_audit && !t.by_run && missed.empty())
        missed = fmt::format("epoch {}: {}", t.epoch, t.first);
    }
    fmt::print("{:36} {:7} {:6} {:6} {:7} {:9}  {}\n", kind.name, planted, audit, run,
               planted - audit - run, idle,
               places == 0 ? "no place for it in this program" : missed);
    planted_all += planted, missed_all += planted - audit - run, kinds += planted > 0,
        idle_all += idle;
  }
  fmt::print("{} of {} planted bugs of {} kinds found at their epoch{}\n", planted_all - missed_all,
             planted_all, kinds,
             idle_all == 0
                 ? ""
                 : fmt::format(", {} more changed no tensor that lies whole in memory", idle_all));
}

}  // namespace lockstep
