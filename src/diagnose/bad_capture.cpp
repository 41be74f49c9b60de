#include "diagnose/bad_capture.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace lockstep {
namespace {

const Tensor* find(const Sample& sample, const std::string& name) {
  const auto it = sample.find(name);
  return it == sample.end() ? nullptr : &it->second;
}

constexpr std::int64_t enough = 24;  // values that tell two tensors, or two samples, from each other

// Within one step everywhere (reals: within a ten thousandth of the greatest).
bool near(const Graph& g, const Row& row, const Tensor& expected, const Tensor& device) {
  const auto m = measure(expected, device, step_of(g, row.value));
  if (!m.ok() || m->not_finite > 0) return false;
  return m->identical() || (m->has_lsb ? m->max_lsb <= 1.001 : m->cosine > 0.999999 && m->sqnr_db > 80);
}

// All tensors that are computed: fewer could agree by chance.
std::vector<const Row*> computed_rows(const Comparison& comparison) {
  std::vector<const Row*> rows;
  for (const Row& row : comparison.rows)
    if (row.node != no_id) rows.push_back(&row);
  return rows;
}

bool shows_sample(const Case& c, const std::vector<const Row*>& rows, std::size_t device, std::size_t expected) {
  return std::ranges::all_of(rows, [&](const Row* row) {
    const Tensor *d = find(c.recorded.device[device], row->tensor), *e = find(c.recorded.expected[expected], row->tensor);
    return d && e && near(c.reference.graph(), *row, *e, *d);
  });
}

// Device sample i is what the reference makes of input order[i]; empty when no one-to-one order is seen.
// A device that reads an earlier input shows the same sample twice, which is no order.
std::vector<std::size_t> sample_order(const Case& c, const Comparison& comparison) {
  const auto rows = computed_rows(comparison);
  const std::size_t n = c.recorded.device.size();
  if (rows.empty() || n < 2 || n > 64) return {};
  std::int64_t differing = 0;
  for (const Row* row : rows) differing += row->whole.beyond_one_lsb + (row->whole.has_lsb ? 0 : row->whole.differing);
  if (differing < enough) return {};
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<std::size_t> matches;
    for (std::size_t t = 0; t < n; ++t)
      if (shows_sample(c, rows, i, t)) matches.push_back(t);
    if (matches.size() != 1 || std::ranges::count(order, matches[0])) return {};
    order.push_back(matches[0]);
  }
  return std::ranges::is_sorted(order) ? std::vector<std::size_t>{} : order;
}

// A quick look at the first elements: most tensors are not near to each other.
bool begins_near(const Tensor& a, const Tensor& b) {
  for (std::int64_t i = 0; i < std::min<std::int64_t>(64, a.count()); ++i) {
    const double x = a.number(i), y = b.number(i);
    if (std::abs(x - y) > (is_float(a.dtype()) ? 0.01 * (std::abs(x) + std::abs(y)) + 1e-6 : 1)) return false;
  }
  return true;
}

bool holds(const Case& c, const Row& of, const Row& contents) {
  bool some = false;
  for (std::size_t s = 0; s < c.recorded.device.size(); ++s) {
    const Tensor *d = find(c.recorded.device[s], of.tensor), *e = find(c.recorded.expected[s], contents.tensor);
    if (!d || !e || d->dtype() != e->dtype() || d->count() != e->count() || !begins_near(*d, *e)) return false;
    if (!near(c.reference.graph(), contents, *e, d->reshaped(e->shape()))) return false;
    some = true;
  }
  return some;
}

// The two tensors are not the same anyhow (a reshape, a slice), and each is far from itself.
bool differ(const Case& c, const Row& a, const Row& b) {
  if (a.whole.differing < enough || b.whole.differing < enough) return false;
  const auto ea = c.recorded.expected[0].find(a.tensor), eb = c.recorded.expected[0].find(b.tensor);
  if (ea == c.recorded.expected[0].end() || eb == c.recorded.expected[0].end()) return false;
  return !near(c.reference.graph(), a, ea->second, eb->second.reshaped(ea->second.shape()));
}

bool has_weights(const Graph& g, NodeId id) {
  const Node& node = g.node(id);
  return (node.op == "Conv" || node.op == "Gemm" || node.op == "MatMul") && node.inputs.size() > 1 &&
         node.inputs[1] != no_id && g.value(node.inputs[1]).constant;
}

}  // namespace

std::optional<std::string> bad_capture(const Case& c, const Comparison& comparison) {
  if (const auto order = sample_order(c, comparison); !order.empty()) {
    std::string list;
    for (const std::size_t i : order) list += (list.empty() ? "" : ", ") + std::to_string(i + 1);
    return "the samples stand in another order than the inputs: the device's are the reference's samples " + list;
  }
  std::vector<const Row*> wrong;
  for (const Row& row : comparison.rows)
    if (!row.whole.identical() && row.node != no_id && wrong.size() < 128) wrong.push_back(&row);
  for (std::size_t i = 0; i < wrong.size(); ++i)
    for (std::size_t j = i + 1; j < wrong.size(); ++j)
      if (wrong[i]->whole.count == wrong[j]->whole.count && differ(c, *wrong[i], *wrong[j]) && holds(c, *wrong[i], *wrong[j]) && holds(c, *wrong[j], *wrong[i]))
        return "tensors '" + wrong[i]->tensor + "' and '" + wrong[j]->tensor + "' hold each other's contents: their names are swapped";
  return std::nullopt;
}

std::vector<std::string> capture_notes(const Case& c, const Comparison& comparison) {
  std::vector<std::string> notes;
  for (const Row& row : comparison.rows) {
    if (row.whole.not_finite > 0)
      notes.push_back(fmt::format("tensor '{}' holds {} values that are NaN or infinite on one side only", row.tensor, row.whole.not_finite));
    const auto held = std::ranges::count_if(c.recorded.device, [&](const Sample& s) { return s.contains(row.tensor); });
    if (static_cast<std::size_t>(held) < c.recorded.device.size())
      notes.push_back(fmt::format("tensor '{}' is held by {} of {} samples only", row.tensor, held, c.recorded.device.size()));
  }
  return notes;
}

std::string other_version(const Case& c, const Verdict& v) {
  const Graph& g = c.reference.graph();
  int weighted = 0, wrong = 0, others = 0, others_wrong = 0;
  for (std::size_t i = 0; i < v.comparison.rows.size(); ++i) {
    const Row& row = v.comparison.rows[i];
    if (row.segment.size() != 1 || row.state == Judgement::unknown) continue;
    const bool is_wrong = row.state == Judgement::wrong;
    const bool explained = std::ranges::any_of(v.suspects, [&](const Suspect& s) { return s.row == i && s.cause(); });
    if (has_weights(g, row.segment[0])) {
      ++weighted;
      wrong += is_wrong && !explained;
    } else {
      ++others;
      others_wrong += is_wrong;
    }
  }
  if (weighted < 2 || wrong * 10 < weighted * 8 || others_wrong * 10 > others * 2) return "";
  return fmt::format("{} of {} operations with weights are wrong from their own inputs and {} of {} others: the captures come from "
                     "another version of the model (other weights)", wrong, weighted, others_wrong, others);
}

}  // namespace lockstep
