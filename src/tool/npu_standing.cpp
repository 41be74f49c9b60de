#include "tool/npu_standing.h"

#include <algorithm>

#include <fmt/core.h>

#include "npu/standing.h"

namespace lockstep {
namespace {

NpuStanding standing_of_row(const Graph& g, const Row& row) {
  NpuStanding least = standing_of(g, g.node(row.node));
  for (const NodeId n : row.segment) least = std::max(least, standing_of(g, g.node(n)));
  return least;
}

}  // namespace

void mark_standing(Report& report) {
  if (report.reference != "neural-art") return;
  Verdict& v = report.verdict;
  int count[3] = {0, 0, 0}, open = 0, wrong = 0;
  std::vector<bool> silenced(v.comparison.rows.size(), false);
  for (std::size_t r = 0; r < v.comparison.rows.size(); ++r) {
    Row& row = v.comparison.rows[r];
    if (row.node == no_id) continue;
    const NpuStanding s = standing_of_row(*report.graph, row);
    ++count[static_cast<int>(s)];
    row.note += (row.note.empty() ? "" : ", ") + std::string(name_of(s));
    if (row.state != Judgement::wrong) continue;
    if (s != NpuStanding::assumed) {
      ++wrong;
      continue;
    }
    row.state = Judgement::unknown, silenced[r] = true, ++open;
    row.note += ": its difference is no verdict";
  }
  std::erase_if(v.suspects,
                [&](const Suspect& s) { return s.row < silenced.size() && silenced[s.row]; });
  if (open > 0 && wrong == 0 && !v.healthy && v.suspects.empty()) {
    v.healthy = true;
    v.summary = fmt::format(
        "nothing proven wrong: {} tensors differ where the prediction is only assumed", open);
    v.repairs.clear(), v.rewrites.clear(), v.advice.clear(), v.next.clear();
  }
  report.notes.push_back(
      fmt::format("predicted from the model alone: {} tensors by proven rules, {} inferred, {} "
                  "assumed; a difference at an assumed one is no verdict",
                  count[0], count[1], count[2]));
}

}  // namespace lockstep
