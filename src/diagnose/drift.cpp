#include "diagnose/drift.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "diff/local.h"

namespace lockstep {
namespace {

constexpr std::size_t most_searched = 4;  // rows that a cause is sought for

bool makes_codes(const Graph& g, NodeId id) {
  const Node& node = g.node(id);
  if (only_moves(node) || node.outputs.empty() || node.outputs[0] == no_id) return false;
  const Value& y = g.value(node.outputs[0]);
  return is_integer(y.dtype) && y.quant.quantized();
}

// The entropy of a normal drift, in whole steps.
double bits_of_drift(double lsb) {
  return std::clamp(std::log2(1 + 4.13 * lsb), 1.0, 7.0);
}

// Replaces the bounds by wider ones.
void widen(const Tensor& t, std::vector<double>& low, std::vector<double>& high) {
  for (std::int64_t i = 0; i < t.count(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    low[at] = std::min(low[at], t.number(i));
    high[at] = std::max(high[at], t.number(i));
  }
}

}  // namespace

bool rests_on_drift(const Graph& graph, const Row& row) {
  if (row.node == no_id || row.state != Judgement::rounding || !row.like.empty() ||
      row.local.identical())
    return false;
  return std::ranges::any_of(row.segment, [&](NodeId n) {
    return std::ranges::count(graph.node(n).outputs, row.value) == 0 && makes_codes(graph, n);
  });
}

double free_share(const Graph& g, ValueId id) {
  while (g.value(id).producer != no_id) {
    const Node& node = g.node(g.value(id).producer);
    const bool recodes =
        node.op == "QuantizeLinear" || node.op == "DequantizeLinear" || node.op == "Requantize";
    const ValueId from = node.inputs.empty() ? no_id : node.inputs[0];
    if (node.op == "Softmax") {
      const Shape& shape = g.value(id).shape;
      const std::int64_t rank = std::ssize(shape), axis = node.attrs.integer("axis", -1);
      if (rank == 0 || axis >= rank || axis < -rank) return 1;
      const auto n =
          static_cast<double>(shape[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)]);
      return n > 1 ? (n - 1) / n : 1;
    }
    if (from == no_id || !(only_moves(node) || recodes) ||
        count_of(g.value(from).shape) != count_of(g.value(id).shape))
      break;
    id = from;
  }
  return 1;
}

bool inside_arithmetics(const Case& c, const Row& row) {
  if (!c.others) return false;
  const LocalTest own(c.reference, c.recorded);
  for (std::size_t s = 0; s < c.recorded.device.size(); ++s) {
    const Tensor* device = own.device(row.value, s);
    if (!device) continue;
    const auto right = own.recompute(row.value, s);
    if (!right.ok()) return false;
    std::vector<double> low(static_cast<std::size_t>(right->count()), HUGE_VAL),
        high(low.size(), -HUGE_VAL);
    widen(*right, low, high);
    for (const Executor& other : c.others()) {
      const ValueId there = other.graph().find_value(row.tensor);
      if (other.arithmetic().name == "float" || there == no_id) continue;
      const auto made = LocalTest(other, c.recorded).recompute(there, s);
      if (made.ok() && made->dtype() == right->dtype() && made->count() == right->count())
        widen(*made, low, high);
    }
    for (std::int64_t i = 0; i < device->count(); ++i) {
      const double x = device->number(i);
      if (!(x >= low[static_cast<std::size_t>(i)] && x <= high[static_cast<std::size_t>(i)]))
        return false;
    }
  }
  return true;
}

void settle_drift(const Case& c, Verdict& v) {
  const LocalTest test(c.reference, c.recorded);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < v.comparison.rows.size(); ++i) {
    const Row& row = v.comparison.rows[i];
    if (rests_on_drift(c.reference.graph(), row)) open.push_back(i);
  }
  SearchOptions options = c.search;
  for (std::size_t i = 0; i < std::min(open.size(), most_searched); ++i) {
    Row& row = v.comparison.rows[open[i]];
    const auto trial = Trial::make(test, c.recorded, row);
    if (!trial.ok()) continue;
    options.drift_bits = bits_of_drift(row.drift_lsb) * free_share(c.reference.graph(), row.value);
    Suspect found = search(*trial, open[i], {}, options);
    options.work = c.search.work / 4;  // the first is worth the whole search
    if (!found.cause()) continue;
    row.state = Judgement::wrong;
    row.in_spread = false;
    v.suspects.push_back(std::move(found));
    v.healthy = false;
    return;
  }
  if (open.empty()) return;
  const auto outside = std::ranges::find_if(
      open, [&](std::size_t i) { return !inside_arithmetics(c, v.comparison.rows[i]); });
  if (outside == open.end()) {
    v.summary = "healthy, value by value inside what the named arithmetics make of these inputs";
    return;
  }
  const Row& row = v.comparison.rows[*outside];
  v.healthy = false;
  v.undecided = true;
  v.summary = fmt::format(
      "cannot decide: {} of {} values of '{}' differ{} from what {} operations make of the "
      "captured tensors before it, "
      "which rounding alone may do and a fault as well; no named arithmetic yields them, and no "
      "cause was found",
      row.local.differing, row.local.count, row.tensor,
      row.local.has_lsb ? fmt::format(", by {:.3g} LSB at most,", row.local.max_lsb) : "",
      std::ranges::count_if(row.segment,
                            [&](NodeId n) { return makes_codes(c.reference.graph(), n); }));
  v.next = capture_inside(c, row);
}

}  // namespace lockstep
