#include "report/fold.h"

#include <algorithm>
#include <map>

namespace lockstep {

namespace {

bool quantizes(const Row& row) {
  return row.op == "QuantizeLinear";
}
bool dequantizes(const Row& row) {
  return row.op == "DequantizeLinear";
}

}  // namespace

NodeId operation_of(const Row& row, const Graph& graph) {
  if (row.node == no_id || !quantizes(row) || row.segment.size() < 2) return row.node;
  const NodeId before = graph.value(graph.node(row.node).inputs[0]).producer;
  return before != no_id && std::ranges::count(row.segment, before) > 0 ? before : row.node;
}

std::vector<Line> fold_rows(const Comparison& comparison, const Graph& graph) {
  std::vector<Line> lines;
  std::map<ValueId, std::size_t> line_of;  // value -> index of the line that speaks for it
  for (std::size_t i = 0; i < comparison.rows.size(); ++i) {
    const Row& row = comparison.rows[i];
    const bool restates = (quantizes(row) || dequantizes(row)) && row.state != Judgement::wrong;
    const auto before = restates ? line_of.find(graph.node(row.node).inputs[0]) : line_of.end();
    if (before == line_of.end()) {
      line_of[row.value] = lines.size();
      lines.push_back({i, i});
      continue;
    }
    Line& line = lines[before->second];
    if (quantizes(row) && line.codes == line.row) line.codes = i;
    line_of[row.value] = before->second;
  }
  return lines;
}

}  // namespace lockstep
