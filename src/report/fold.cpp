#include "report/fold.h"

#include <algorithm>
#include <map>

namespace lockstep {

namespace {

bool restates(const Node& node) {
  return node.op == "QuantizeLinear" || node.op == "DequantizeLinear";
}

bool quantizes(const Row& row) {
  return row.op == "QuantizeLinear";
}
bool dequantizes(const Row& row) {
  return row.op == "DequantizeLinear";
}

}  // namespace

NodeId operation_of(const Row& row, const Graph& graph) {
  NodeId n = row.node;
  while (n != no_id && restates(graph.node(n))) {
    const NodeId before = graph.value(graph.node(n).inputs[0]).producer;
    if (before == no_id || std::ranges::count(row.segment, before) == 0) return row.node;
    n = before;
  }
  return n;
}

std::size_t operations_in(const Row& row, const Graph& graph) {
  const auto computes = [&](NodeId n) { return n != no_id && !restates(graph.node(n)); };
  return std::max<std::size_t>(
      1, static_cast<std::size_t>(std::ranges::count_if(row.segment, computes)));
}

std::vector<FoldedLine> fold_rows(const Comparison& comparison, const Graph& graph) {
  std::vector<FoldedLine> lines;
  std::map<ValueId, std::size_t> line_of;  // value -> index of the line that speaks for it
  for (std::size_t i = 0; i < comparison.rows.size(); ++i) {
    const Row& row = comparison.rows[i];
    const bool quantizer = (quantizes(row) || dequantizes(row)) && row.state != Judgement::wrong;
    const auto before = quantizer ? line_of.find(graph.node(row.node).inputs[0]) : line_of.end();
    if (before == line_of.end()) {
      line_of[row.value] = lines.size();
      lines.push_back({i, i});
      continue;
    }
    FoldedLine& line = lines[before->second];
    if (quantizes(row) && line.codes == line.row) line.codes = i;
    line_of[row.value] = before->second;
  }
  return lines;
}

WrongPlace first_wrong_place(const Verdict& verdict, const Graph& graph) {
  if (verdict.suspects.empty()) return {};
  const Suspect& first = verdict.suspects[0];
  const Row& row = verdict.comparison.rows[first.row];
  WrongPlace place{operation_of(row, graph), operations_in(row, graph), false};
  const Explanation* cause = first.cause();
  const NodeId site =
      place.among > 1 && cause && cause->certain ? graph.find_node(cause->site) : no_id;
  if (site != no_id) place = {site, place.among, true};
  return place;
}

}  // namespace lockstep
