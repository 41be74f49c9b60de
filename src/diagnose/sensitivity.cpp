// Where the difference between two inputs goes: each tensor of both runs side by side, and each
// operation again in reals to see what its rounding and its clamp took away.
#include "diagnose/sensitivity.h"

#include <algorithm>
#include <bitset>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "diagnose/sensitivity_exact.h"
#include "diff/diff.h"
#include "measure/reals.h"

namespace lockstep {
namespace {

constexpr const char* saturated =
    "; the softmax is saturated: it answers with the codes of certainty whatever moves below";
constexpr double noise = 1e-3;  // steps: what float32 sums of the same reals may differ by

bool coded(const Value& v) {
  return v.quant.quantized() && is_integer(v.dtype);
}

std::vector<bool> varying(const Graph& g) {
  std::vector<bool> varies(g.values().size(), false);
  for (const ValueId id : g.inputs()) varies[static_cast<std::size_t>(id)] = true;
  for (const State& s : g.states()) varies[static_cast<std::size_t>(s.in)] = true;
  for (const Node& node : g.nodes())
    if (std::ranges::any_of(node.inputs, [&](ValueId v) {
          return v != no_id && varies[static_cast<std::size_t>(v)];
        }))
      for (const ValueId v : node.outputs)
        if (v != no_id) varies[static_cast<std::size_t>(v)] = true;
  return varies;
}

// The quantizer that alone reads a float result.
NodeId quantizer_of(const Graph& g, ValueId id) {
  if (std::ranges::count(g.outputs(), id) || is_integer(g.value(id).dtype)) return no_id;
  const std::vector<NodeId> readers = g.consumers(id);
  return readers.size() == 1 && g.node(readers[0]).op == "QuantizeLinear" ? readers[0] : no_id;
}

// How many elements of its input one element of a mean takes in; 0 for other operations.
std::int64_t mean_of(const Graph& g, const Node& node) {
  const auto count = [&](ValueId v) {
    return std::max<std::int64_t>(1, count_of(g.value(v).shape));
  };
  if (node.op == "AveragePool") {
    std::int64_t n = 1;
    for (const std::int64_t k : node.attrs.integers("kernel_shape")) n *= k;
    return n;
  }
  if (node.op == "GlobalAveragePool" || node.op == "ReduceMean")
    return count(node.inputs[0]) / count(node.outputs[0]);
  return 0;
}

class Follow {
 public:
  Follow(const Executor& reference, const std::vector<InputPair>& pairs)
      : e_(reference), g_(reference.graph()), pairs_(pairs), varies_(varying(g_)), exact_(g_) {}

  Result<Sensitivity> run(const std::function<void(const std::string&)>& progress) {
    lay_rows();
    std::vector<std::bitset<256>> used(s_.rows.size());
    bool dead = false;
    s_.base = 0;
    for (std::size_t p = 0; p < pairs_.size(); ++p) {
      if (progress) progress(fmt::format("pair {} of {}", p + 1, pairs_.size()));
      LOCKSTEP_TRY(const Capture both,
                   e_.run(std::vector<Sample>{pairs_[p].first, pairs_[p].second}));
      a_ = &both.samples[0];
      b_ = &both.samples[1];
      for (std::size_t r = 0; r < s_.rows.size(); ++r) LOCKSTEP_CHECK(look(s_.rows[r], used[r]));
      const bool differ = any_differs(g_.inputs()), arrives = any_differs(g_.outputs());
      s_.pairs += differ;
      s_.reaching += arrives;
      if (!differ) continue;
      if (s_.base == 0) s_.base = static_cast<std::int64_t>(p) + 1;
      if (!arrives && !dead) s_.base = static_cast<std::int64_t>(p) + 1, dead = true;
    }
    s_.base = std::max<std::int64_t>(1, s_.base);
    for (std::size_t r = 0; r < s_.rows.size(); ++r) {
      SensitivityRow& row = s_.rows[r];
      const Value& v = g_.value(row.value);
      if (is_integer(v.dtype) && size_of(v.dtype) == 1)
        row.codes_all = 256, row.codes_used = static_cast<int>(used[r].count());
      if (row.dies_in) row.why = reason(row);
    }
    if (!exact_.known())
      s_.notes.push_back(
          "the exact results could not be computed: rounding and clamps are not told apart");
    return std::move(s_);
  }

 private:
  void lay_rows() {
    for (const ValueId id : g_.inputs()) s_.rows.push_back(row_of(id, no_id));
    for (std::size_t n = 0; n < g_.nodes().size(); ++n) {
      const Node& node = g_.nodes()[n];
      if (node.op == "DequantizeLinear") continue;
      for (const ValueId id : node.outputs) {
        if (id == no_id || g_.value(id).constant || !varies_[static_cast<std::size_t>(id)])
          continue;
        if (quantizer_of(g_, id) != no_id) continue;
        const NodeId maker =
            node.op == "QuantizeLinear" ? g_.value(node.inputs[0]).producer : no_id;
        const bool folded =
            maker != no_id && quantizer_of(g_, node.inputs[0]) == static_cast<NodeId>(n);
        s_.rows.push_back(row_of(id, folded ? maker : static_cast<NodeId>(n)));
      }
    }
  }

  SensitivityRow row_of(ValueId id, NodeId node) const {
    SensitivityRow row;
    row.value = id;
    row.node = node;
    row.tensor = g_.value(id).name;
    row.name = node == no_id ? row.tensor : g_.node(node).name;
    row.op = node == no_id ? "input" : g_.node(node).op;
    row.has_lsb = step_of(g_, id).quantized();
    return row;
  }

  const Tensor* in(const Sample* sample, ValueId id) const {
    if (g_.value(id).constant) return g_.value(id).constant.get();
    const auto it = sample->find(g_.value(id).name);
    return it == sample->end() ? nullptr : &it->second;
  }
  bool differs(ValueId id) const {
    const Tensor *a = in(a_, id), *b = in(b_, id);
    return a && b && !(*a == *b);
  }
  bool any_differs(std::span<const ValueId> ids) const {
    return std::ranges::any_of(ids, [&](ValueId id) { return id != no_id && differs(id); });
  }

  Result<void> look(SensitivityRow& row, std::bitset<256>& used) {
    const Tensor *a = in(a_, row.value), *b = in(b_, row.value);
    if (!a || !b) return {};
    const QuantParams q = step_of(g_, row.value);
    const std::vector<double> ra = reals_of(*a, q), rb = reals_of(*b, q);
    const ChannelIndex channel(q, a->shape());
    row.elements += a->count();
    std::int64_t changed = 0;
    for (std::int64_t i = 0; i < a->count(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double step = q.quantized() ? q.scale_at(channel(i)) : 1;
      if (ra[at] != rb[at])
        ++changed, row.max_lsb = std::max(row.max_lsb, std::abs(rb[at] - ra[at]) / step);
      if (size_of(a->dtype()) == 1)
        for (const Tensor* t : {a, b}) used.set(static_cast<std::size_t>(t->code(i) & 0xff));
    }
    row.changed += changed;
    if (row.node == no_id || !any_differs(g_.node(row.node).inputs)) return {};
    ++row.reads_in;
    row.dies_in += changed == 0;
    return absorb(row, *a, *b, changed == 0);
  }

  Result<void> absorb(SensitivityRow& row, const Tensor& a, const Tensor& b, bool dies) {
    if (!coded(g_.value(row.value))) return {};
    const auto xa = exact_.of(row.value, *a_), xb = exact_.of(row.value, *b_);
    if (!xa || !xb || xa->size() != static_cast<std::size_t>(a.count())) return {};
    add_moves(row.absorbed, row.value, {a, *xa}, {b, *xb});
    if (dies) add_moves(row.dying, row.value, {a, *xa}, {b, *xb});
    return {};
  }

  struct Side {
    const Tensor& codes;
    const std::vector<double>& exact;
  };

  void add_moves(Absorbed& s, ValueId value, const Side& a, const Side& b) const {
    const Value& v = g_.value(value);
    const CodeRange range = exact_.range_of(value);
    const ChannelIndex channel(v.quant, v.shape);
    s.known = true;
    for (std::int64_t i = 0; i < a.codes.count(); ++i) {
      const std::size_t c = channel(i), at = static_cast<std::size_t>(i);
      const double zero = v.quant.zero_at(c), step = v.quant.scale_at(c);
      const double pa = a.exact[at] / step + zero, pb = b.exact[at] / step + zero,
                   moves = std::abs(pa - pb);
      const std::int64_t code = a.codes.code(i);
      s.rails = s.rails && code == b.codes.code(i) && (code == range.low || code == range.high);
      if (moves < noise) {
        s.least = std::max(s.least, moves);
        continue;
      }
      ++s.moved;
      if (code != b.codes.code(i)) continue;
      if (std::max(pa, pb) <= static_cast<double>(range.low))
        ++s.low;
      else if (std::min(pa, pb) >= static_cast<double>(range.high))
        ++s.high;
      else
        ++s.below, s.most = std::max(s.most, moves);
    }
  }

  std::string reason(const SensitivityRow& row) const {
    const Node& node = g_.node(row.node);
    const Absorbed& s = row.dying;
    if (s.known && s.moved == 0) return still(node, s);
    if (!s.known)
      return is_float(g_.value(row.value).dtype) ? still(node, s)
                                                 : "not told apart: rounding, a clamp or a choice";
    std::vector<std::string> parts;
    if (s.below) parts.push_back(rounded_away(row, node));
    if (s.low)
      parts.push_back(fmt::format("{} stay at the least code (a clamp, or a Relu in it)", s.low));
    if (s.high) parts.push_back(fmt::format("{} stay at the greatest code (saturated)", s.high));
    std::string text = fmt::format("{} exact results move: ", s.moved);
    for (std::size_t i = 0; i < parts.size(); ++i) text += (i ? "; " : "") + parts[i];
    return text;
  }

  std::string rounded_away(const SensitivityRow& row, const Node& node) const {
    const Absorbed& s = row.dying;
    std::string text = fmt::format(
        "{} by at most {:.2g} of a step, which rounding takes away (dead zone)", s.below, s.most);
    if (node.op == "Softmax" && s.rails) return text + saturated;
    const std::int64_t n = mean_of(g_, node);
    if (n < 2) return text;
    const QuantParams x = step_of(g_, node.inputs[0]), y = step_of(g_, row.value);
    if (!x.quantized() || !y.quantized()) return text + fmt::format("; each is a mean of {}", n);
    const double need = 0.5 * y.scale[0] / x.scale[0] * static_cast<double>(n);
    return text + fmt::format(
                      "; each is a mean of {}: their steps must add up to about {:.0f} to move it "
                      "by half a step",
                      n, std::max(1.0, need));
  }

  static std::string still(const Node& node, const Absorbed& s) {
    if (node.op == "MaxPool" || node.op == "GlobalMaxPool" || node.op == "ReduceMax")
      return "what changes is not the greatest of its window";
    if (node.op == "Relu" || node.op == "Clip" || node.op == "BoundedRelu")
      return "what changes lies where it is clamped";
    if (only_moves(node)) return "what changes is not among the elements taken";
    if (node.op == "ArgMax" || node.op == "ArgMin" || node.op == "TopK")
      return "the order stays the same";
    if (s.least > 0)
      return fmt::format("its exact results move by at most {:.2g} of a step", s.least) +
             (node.op == "Softmax" && s.rails ? saturated : "");
    return node.op == "Softmax" && s.known && s.rails
               ? std::string("its exact result does not move") + saturated
               : "its exact result does not move";
  }

  const Executor& e_;
  const Graph& g_;
  const std::vector<InputPair>& pairs_;
  std::vector<bool> varies_;
  ExactResults exact_;
  Sensitivity s_;
  const Sample *a_ = nullptr, *b_ = nullptr;
};

}  // namespace

Result<Sensitivity> sensitivity(const Executor& reference, const std::vector<InputPair>& pairs,
                                std::int64_t runs,
                                const std::function<void(const std::string&)>& progress) {
  LOCKSTEP_TRY(Sensitivity s, Follow(reference, pairs).run(progress));
  const InputPair& base = pairs[static_cast<std::size_t>(s.base - 1)];
  LOCKSTEP_TRY(s.smallest, smallest_changes(reference, base, runs, progress));
  LOCKSTEP_TRY(s.softmax, softmax_reach(reference, base.first));
  return s;
}

}  // namespace lockstep
