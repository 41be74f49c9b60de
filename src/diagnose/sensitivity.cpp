// Where the difference between two inputs goes: each tensor of both runs side by side, and each
// operation again in reals to see what its rounding and its clamp took away.
#include "diagnose/sensitivity.h"

#include <algorithm>
#include <bitset>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "diff/diff.h"
#include "measure/reals.h"

namespace lockstep {
namespace {

constexpr double noise = 1e-3;  // steps: what float32 sums of the same reals may differ by

bool coded(const Value& v) { return v.quant.quantized() && is_integer(v.dtype); }

std::vector<bool> varying(const Graph& g) {
  std::vector<bool> varies(g.values().size(), false);
  for (const ValueId id : g.inputs()) varies[static_cast<std::size_t>(id)] = true;
  for (const State& s : g.states()) varies[static_cast<std::size_t>(s.in)] = true;
  for (const Node& node : g.nodes())
    if (std::ranges::any_of(node.inputs, [&](ValueId v) { return v != no_id && varies[static_cast<std::size_t>(v)]; }))
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
  const auto count = [&](ValueId v) { return std::max<std::int64_t>(1, count_of(g.value(v).shape)); };
  if (node.op == "AveragePool") {
    std::int64_t n = 1;
    for (const std::int64_t k : node.attrs.integers("kernel_shape")) n *= k;
    return n;
  }
  if (node.op == "GlobalAveragePool" || node.op == "ReduceMean") return count(node.inputs[0]) / count(node.outputs[0]);
  return 0;
}

class Follow {
 public:
  Follow(const Executor& reference, const std::vector<InputPair>& pairs)
      : e_(reference), g_(reference.graph()), pairs_(pairs), varies_(varying(g_)) {
    if (auto made = Executor::make(g_, *find_arithmetic("float")); made.ok()) exact_ = std::move(*made);
  }

  Result<Sensitivity> run(const std::function<void(const std::string&)>& progress) {
    lay_rows();
    std::vector<std::bitset<256>> used(s_.rows.size());
    for (std::size_t p = 0; p < pairs_.size(); ++p) {
      if (progress) progress(fmt::format("pair {} of {}", p + 1, pairs_.size()));
      LOCKSTEP_TRY(const Capture both, e_.run(std::vector<Sample>{pairs_[p].first, pairs_[p].second}));
      a_ = &both.samples[0];
      b_ = &both.samples[1];
      for (std::size_t r = 0; r < s_.rows.size(); ++r) LOCKSTEP_CHECK(look(s_.rows[r], used[r]));
      s_.pairs += any_differs(g_.inputs());
      s_.reaching += any_differs(g_.outputs());
    }
    for (std::size_t r = 0; r < s_.rows.size(); ++r) {
      SensitivityRow& row = s_.rows[r];
      const Value& v = g_.value(row.value);
      if (is_integer(v.dtype) && size_of(v.dtype) == 1) row.codes_all = 256, row.codes_used = static_cast<int>(used[r].count());
      if (row.dies_in) row.why = reason(row);
    }
    if (!exact_) s_.notes.push_back("the exact results could not be computed: rounding and clamps are not told apart");
    return std::move(s_);
  }

 private:
  void lay_rows() {
    for (const ValueId id : g_.inputs()) s_.rows.push_back(row_of(id, no_id));
    for (std::size_t n = 0; n < g_.nodes().size(); ++n) {
      const Node& node = g_.nodes()[n];
      if (node.op == "DequantizeLinear") continue;
      for (const ValueId id : node.outputs) {
        if (id == no_id || g_.value(id).constant || !varies_[static_cast<std::size_t>(id)]) continue;
        if (quantizer_of(g_, id) != no_id) continue;
        const NodeId maker = node.op == "QuantizeLinear" ? g_.value(node.inputs[0]).producer : no_id;
        const bool folded = maker != no_id && quantizer_of(g_, node.inputs[0]) == static_cast<NodeId>(n);
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
      if (ra[at] != rb[at]) ++changed, row.max_lsb = std::max(row.max_lsb, std::abs(rb[at] - ra[at]) / step);
      if (size_of(a->dtype()) == 1)
        for (const Tensor* t : {a, b}) used.set(static_cast<std::size_t>(t->code(i) & 0xff));
    }
    row.changed += changed;
    if (row.node == no_id || !any_differs(g_.node(row.node).inputs)) return {};
    ++row.reads_in;
    row.dies_in += changed == 0;
    return absorb(row, *a, *b);
  }

  // The value before rounding and clamp, in reals, from the inputs that `sample` has.
  std::optional<std::vector<double>> exact_of(const SensitivityRow& row, const Sample* sample) const {
    const ValueId made = g_.value(row.value).producer;
    const Node& last = g_.node(made);
    if (last.op == "QuantizeLinear" || last.op == "Requantize") {
      const Tensor* x = in(sample, last.inputs[0]);
      if (!x || (is_integer(x->dtype()) && !coded(g_.value(last.inputs[0])))) return {};
      return reals_of(*x, g_.value(last.inputs[0]).quant);
    }
    if (!exact_) return {};
    const Graph& x = exact_->graph();
    Sample known;
    for (const ValueId id : last.inputs) {
      const Tensor* t = id == no_id || g_.value(id).constant ? nullptr : in(sample, id);
      const ValueId twin = t ? x.find_value(g_.value(id).name) : no_id;
      if (twin == no_id) continue;
      if (x.value(twin).dtype == t->dtype()) {
        known.insert_or_assign(g_.value(id).name, *t);
        continue;
      }
      Tensor reals(DType::f32, t->shape());
      const std::vector<double> numbers = reals_of(*t, g_.value(id).quant);
      for (std::int64_t i = 0; i < t->count(); ++i) reals.set_number(i, numbers[static_cast<std::size_t>(i)]);
      known.insert_or_assign(g_.value(id).name, std::move(reals));
    }
    std::string wanted = row.tensor + "/unclamped";
    if (x.find_value(wanted) == no_id) wanted = row.tensor;
    const auto made_again = exact_->run_from(known, std::vector<std::string>{wanted});
    if (!made_again.ok() || !made_again->contains(wanted)) return {};
    return reals_of(made_again->at(wanted), {});
  }

  Result<void> absorb(SensitivityRow& row, const Tensor& a, const Tensor& b) {
    const Value& v = g_.value(row.value);
    if (!coded(v)) return {};
    const auto xa = exact_of(row, a_), xb = exact_of(row, b_);
    if (!xa || !xb || xa->size() != static_cast<std::size_t>(a.count())) return {};
    Absorbed& s = row.absorbed;
    s.known = true;
    const CodeRange range = code_range(v.dtype);
    const ChannelIndex channel(v.quant, v.shape);
    for (std::int64_t i = 0; i < a.count(); ++i) {
      const std::size_t c = channel(i);
      const double zero = v.quant.zero_at(c), step = v.quant.scale_at(c);
      const double pa = (*xa)[static_cast<std::size_t>(i)] / step + zero, pb = (*xb)[static_cast<std::size_t>(i)] / step + zero;
      if (std::abs(pa - pb) < noise) continue;
      ++s.moved;
      if (a.code(i) != b.code(i)) continue;
      if (std::max(pa, pb) <= static_cast<double>(range.low)) ++s.low;
      else if (std::min(pa, pb) >= static_cast<double>(range.high)) ++s.high;
      else ++s.below, s.most = std::max(s.most, std::abs(pa - pb));
    }
    return {};
  }

  std::string reason(const SensitivityRow& row) const {
    const Node& node = g_.node(row.node);
    const Absorbed& s = row.absorbed;
    if (s.known && s.moved == 0) return still(node);
    if (!s.known) return is_float(g_.value(row.value).dtype) ? still(node) : "not told apart: rounding, a clamp or a choice";
    std::vector<std::string> parts;
    if (s.below) parts.push_back(rounded_away(row, node));
    if (s.low) parts.push_back(fmt::format("{} stay at the least code (a clamp, or a Relu in it)", s.low));
    if (s.high) parts.push_back(fmt::format("{} stay at the greatest code (saturated)", s.high));
    std::string text = fmt::format("{} exact results move: ", s.moved);
    for (std::size_t i = 0; i < parts.size(); ++i) text += (i ? "; " : "") + parts[i];
    return text;
  }

  std::string rounded_away(const SensitivityRow& row, const Node& node) const {
    const Absorbed& s = row.absorbed;
    std::string text = fmt::format("{} by at most {:.2g} of a step, which rounding takes away (dead zone)", s.below, s.most);
    if (node.op == "Softmax")
      return text + "; the softmax is saturated: it answers with the codes of certainty whatever moves below";
    const std::int64_t n = mean_of(g_, node);
    if (n < 2) return text;
    const QuantParams x = step_of(g_, node.inputs[0]), y = step_of(g_, row.value);
    if (!x.quantized() || !y.quantized()) return text + fmt::format("; each is a mean of {}", n);
    const double need = 0.5 * y.scale[0] / x.scale[0] * static_cast<double>(n);
    return text + fmt::format("; each is a mean of {}: their steps must add up to about {:.0f} to move it by half a step",
                              n, std::max(1.0, need));
  }

  static std::string still(const Node& node) {
    if (node.op == "MaxPool" || node.op == "GlobalMaxPool" || node.op == "ReduceMax")
      return "what changes is not the greatest of its window";
    if (node.op == "Relu" || node.op == "Clip" || node.op == "BoundedRelu") return "what changes lies where it is clamped";
    if (only_moves(node)) return "what changes is not among the elements taken";
    if (node.op == "ArgMax" || node.op == "ArgMin" || node.op == "TopK") return "the order stays the same";
    return "its exact result does not move";
  }

  const Executor& e_;
  const Graph& g_;
  const std::vector<InputPair>& pairs_;
  std::vector<bool> varies_;
  std::optional<Executor> exact_;
  Sensitivity s_;
  const Sample *a_ = nullptr, *b_ = nullptr;
};

}  // namespace

Result<Sensitivity> sensitivity(const Executor& reference, const std::vector<InputPair>& pairs, std::int64_t runs,
                                const std::function<void(const std::string&)>& progress) {
  LOCKSTEP_TRY(Sensitivity s, Follow(reference, pairs).run(progress));
  if (progress) progress("looking for the smallest change that reaches the output");
  LOCKSTEP_TRY(s.smallest, smallest_changes(reference, pairs.front(), runs));
  LOCKSTEP_TRY(s.softmax, softmax_reach(reference, pairs.front().first));
  return s;
}

}  // namespace lockstep
