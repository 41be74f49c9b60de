#include "diagnose/bad_capture.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace lockstep {
namespace {

constexpr std::int64_t enough =
    24;  // values that tell two tensors, or two samples, from each other

// A quick look at the first elements: most tensors are not near to each other.
bool begins_near(const Tensor& a, const Tensor& b) {
  for (std::int64_t i = 0; i < std::min<std::int64_t>(64, a.count()); ++i) {
    const double x = a.number(i), y = b.number(i);
    if (std::abs(x - y) > (is_float(a.dtype()) ? 0.01 * (std::abs(x) + std::abs(y)) + 1e-6 : 1))
      return false;
  }
  return true;
}

bool holds(const Case& c, const Row& of, const Row& contents) {
  bool some = false;
  for (std::size_t s = 0; s < c.recorded.device.size(); ++s) {
    const Tensor *d = recorded_tensor(c.recorded.device[s], of.tensor),
                 *e = recorded_tensor(c.recorded.expected[s], contents.tensor);
    if (!d || !e || d->dtype() != e->dtype() || d->count() != e->count() || !begins_near(*d, *e))
      return false;
    if (!within_a_step(c.reference.graph(), contents, *e, d->reshaped(e->shape()))) return false;
    some = true;
  }
  return some;
}

// The two tensors are not the same anyhow (a reshape, a slice), and each is far from itself.
bool differ(const Case& c, const Row& a, const Row& b) {
  if (a.whole.differing < enough || b.whole.differing < enough) return false;
  const auto ea = c.recorded.expected[0].find(a.tensor), eb = c.recorded.expected[0].find(b.tensor);
  if (ea == c.recorded.expected[0].end() || eb == c.recorded.expected[0].end()) return false;
  return !within_a_step(c.reference.graph(), a, ea->second,
                        eb->second.reshaped(ea->second.shape()));
}

// What reads the tensor follows from it as it was recorded, and not from the reference's: the
// device held it so.
bool is_read_as_recorded(const Case& c, const Comparison& comparison, const Row& row) {
  const Graph& g = c.reference.graph();
  return std::ranges::any_of(comparison.rows, [&](const Row& reader) {
    if (reader.node == no_id || reader.segment.size() != 1 || reader.whole.differing < enough)
      return false;
    const auto& inputs = g.node(reader.segment[0]).inputs;
    return (reader.state == Judgement::exact || reader.state == Judgement::rounding) &&
           std::ranges::count(inputs, row.value) > 0;
  });
}

bool makes_weights(const Graph& g, NodeId id) {
  return std::ranges::all_of(g.node(id).inputs,
                             [&](ValueId v) { return v == no_id || g.value(v).constant; });
}

// Constant, or dequantized from what is.
bool has_weights(const Graph& g, NodeId id) {
  const Node& node = g.node(id);
  if ((node.op != "Conv" && node.op != "Gemm" && node.op != "MatMul") || node.inputs.size() < 2 ||
      node.inputs[1] == no_id)
    return false;
  const Value& w = g.value(node.inputs[1]);
  return w.constant || (w.producer != no_id && makes_weights(g, w.producer));
}

// A device that exchanges two outputs leaves the same recording.
bool are_outputs(const Graph& g, const Row& a, const Row& b) {
  return std::ranges::count(g.outputs(), a.value) > 0 &&
         std::ranges::count(g.outputs(), b.value) > 0;
}

}  // namespace

const Tensor* recorded_tensor(const Sample& sample, const std::string& name) {
  const auto it = sample.find(name);
  return it == sample.end() ? nullptr : &it->second;
}

bool within_a_step(const Graph& g, const Row& row, const Tensor& expected, const Tensor& device) {
  const auto m = measure(expected, device, step_of(g, row.value));
  if (!m.ok() || m->not_finite > 0) return false;
  return m->identical() ||
         (m->has_lsb ? m->max_lsb <= 1.001 : m->cosine > 0.999999 && m->sqnr_db > 80);
}

namespace {

// What of the computed tensors is not right, unless it follows from tensors recorded before it:
// that stands under its own name.
std::vector<const Row*> rows_not_right(const Comparison& comparison) {
  constexpr std::size_t most = 128;
  std::vector<const Row*> wrong;
  for (const Row& row : comparison.rows)
    if (!row.whole.identical() && row.state != Judgement::exact && row.node != no_id &&
        wrong.size() < most)
      wrong.push_back(&row);
  return wrong;
}

// Two tensors that hold each other's contents.
std::optional<std::pair<const Row*, const Row*>> exchanged(const Case& c,
                                                           const Comparison& comparison) {
  const std::vector<const Row*> wrong = rows_not_right(comparison);
  for (std::size_t i = 0; i < wrong.size(); ++i)
    for (std::size_t j = i + 1; j < wrong.size(); ++j)
      if (wrong[i]->whole.count == wrong[j]->whole.count && differ(c, *wrong[i], *wrong[j]) &&
          holds(c, *wrong[i], *wrong[j]) && holds(c, *wrong[j], *wrong[i]) &&
          !is_read_as_recorded(c, comparison, *wrong[i]) &&
          !is_read_as_recorded(c, comparison, *wrong[j]))
        return std::pair(wrong[i], wrong[j]);
  return std::nullopt;
}

std::string exchange_text(const Case& c, const Row& a, const Row& b) {
  return "tensors '" + a.tensor + "' and '" + b.tensor +
         "' hold each other's contents: their names are swapped" +
         (are_outputs(c.reference.graph(), a, b)
              ? ", or the device writes each into the other's place"
              : "");
}

// Nothing but the network's outputs was recorded: what exchanges two of them inside is seen nowhere
// else.
bool outputs_alone(const Case& c, const Comparison& comparison) {
  return std::ranges::all_of(comparison.rows, [&](const Row& row) {
    return row.node == no_id || std::ranges::count(c.reference.graph().outputs(), row.value) > 0;
  });
}

}  // namespace

std::optional<std::string> bad_capture(const Case& c, const Comparison& comparison) {
  if (auto samples = misplaced_samples(c, comparison)) return samples;
  const auto pair = exchanged(c, comparison);
  if (pair && !(are_outputs(c.reference.graph(), *pair->first, *pair->second) &&
                outputs_alone(c, comparison)))
    return exchange_text(c, *pair->first, *pair->second);
  return bad_contents(c, comparison);
}

std::optional<std::string> perhaps_exchanged(const Case& c, const Comparison& comparison) {
  if (!outputs_alone(c, comparison)) return std::nullopt;
  const auto pair = exchanged(c, comparison);
  if (!pair || !are_outputs(c.reference.graph(), *pair->first, *pair->second)) return std::nullopt;
  return exchange_text(c, *pair->first, *pair->second);
}

std::string constant_output(const Case& c) {
  constexpr std::size_t least = 3;
  const Graph& g = c.reference.graph();
  if (c.recorded.device.size() < least) return "";
  for (const ValueId id : g.outputs()) {
    const std::string& name = g.value(id).name;
    const Tensor *device = recorded_tensor(c.recorded.device[0], name),
                 *right = recorded_tensor(c.recorded.expected[0], name);
    if (!device || !right) continue;
    bool same = true, moves = false;
    for (std::size_t s = 1; s < c.recorded.device.size(); ++s) {
      const Tensor *d = recorded_tensor(c.recorded.device[s], name),
                   *e = recorded_tensor(c.recorded.expected[s], name);
      same = same && d && *d == *device;
      moves = moves || (e && !(*e == *right));
    }
    if (same && moves)
      return fmt::format(
          "'{}' is the same in all {} samples, the reference's is not: an input that never "
          "arrives, an output copied from elsewhere and "
          "memory that sleeps look alike here; an inner tensor that moves, or not, tells them "
          "apart",
          name, c.recorded.device.size());
  }
  return "";
}

std::vector<std::string> capture_notes(const Case& c, const Comparison& comparison) {
  std::vector<std::string> notes;
  constexpr std::size_t most = 4;
  std::size_t more = 0;
  const auto note = [&](std::string text) {
    notes.size() < most ? notes.push_back(std::move(text)) : static_cast<void>(++more);
  };
  for (const Row& row : comparison.rows) {
    if (row.whole.not_finite > 0)
      note(fmt::format(
          "tensor '{}' holds {} that {} NaN or infinite on one side only", row.tensor,
          row.whole.not_finite == 1 ? "a value" : std::to_string(row.whole.not_finite) + " values",
          row.whole.not_finite == 1 ? "is" : "are"));
    const auto held = std::ranges::count_if(
        c.recorded.device, [&](const Sample& s) { return s.contains(row.tensor); });
    if (static_cast<std::size_t>(held) < c.recorded.device.size())
      note(fmt::format("tensor '{}' is held by {} of {} samples only", row.tensor, held,
                       c.recorded.device.size()));
  }
  if (more) notes.push_back(fmt::format("{} more tensors likewise", more));
  if (std::string constant = constant_output(c); !constant.empty())
    notes.push_back(std::move(constant));
  return notes;
}

std::string doubtful_inputs(const Case& c, const Verdict& v) {
  if (v.suspects.empty() || v.suspects[0].cause() || v.suspects.size() > 4) return "";
  constexpr double most_of_it =
      0.3;  // a wrong operation is seldom wrong in so many values and in no known way
  const Graph& g = c.reference.graph();
  std::size_t others = 0;
  for (const Row& row : v.comparison.rows) {
    others += row.node != no_id && row.state != Judgement::wrong && row.state != Judgement::unknown;
    if (row.state != Judgement::wrong) continue;
    if (row.node == no_id || row.segment.size() != 1 || row.local.share_differing() < most_of_it)
      return "";
    for (const ValueId in : g.node(row.node).inputs)
      if (in != no_id && !g.value(in).constant && g.value(in).producer != no_id) return "";
  }
  return others < 3 ? ""
                    : "only what reads the network's inputs is wrong, in most values and in no "
                      "known way: the captures may be of other inputs than those given";
}

std::string other_version(const Case& c, const Verdict& v) {
  const Graph& g = c.reference.graph();
  int weighted = 0, wrong = 0, others = 0, others_wrong = 0;
  for (std::size_t i = 0; i < v.comparison.rows.size(); ++i) {
    const Row& row = v.comparison.rows[i];
    if (row.segment.size() != 1 || row.state == Judgement::unknown ||
        makes_weights(g, row.segment[0]))
      continue;
    const bool is_wrong = row.state == Judgement::wrong;
    const bool explained =
        std::ranges::any_of(v.suspects, [&](const Suspect& s) { return s.row == i && s.cause(); });
    if (has_weights(g, row.segment[0])) {
      ++weighted;
      wrong += is_wrong && !explained;
    } else {
      ++others;
      others_wrong += is_wrong;
    }
  }
  if (weighted < 2 || wrong * 10 < weighted * 8 || others_wrong * 10 > others * 2) return "";
  return fmt::format(
      "{} of {} operations with weights are wrong from their own inputs and {} of {} others: the "
      "captures come from "
      "another version of the model (other weights)",
      wrong, weighted, others_wrong, others);
}

}  // namespace lockstep
