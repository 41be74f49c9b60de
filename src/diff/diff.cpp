#include "diff/diff.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>

#include <fmt/format.h>

#include "diff/local.h"
#include "diff/spread.h"
#include "diff/structure.h"

namespace lockstep {

Result<Tolerance> parse_tolerance(const std::string& text) {
  if (text.empty()) return Tolerance{};
  if (text == "exact") return Tolerance{Tolerance::Kind::exact, 0, 0, false};
  if (text == "envelope") return Tolerance{Tolerance::Kind::envelope, 1, 1e-4, true};
  const bool lsb = text.starts_with("lsb:"), cosine = text.starts_with("cosine:");
  if (lsb || cosine) {
    double n = 0;
    const char* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data() + (lsb ? 4 : 7), end, n);
    const bool number = failure == std::errc{} && stop == end && n >= 0 && std::isfinite(n);
    if (number && lsb) return Tolerance{Tolerance::Kind::lsb, n, 1e-4, false};
    if (number && n <= 1) return Tolerance{Tolerance::Kind::cosine, 1, 1e-4, true, n};
  }
  return Error{"--tolerance " + text, "no such tolerance", "exact, lsb:N, envelope or cosine:N",
               "for instance lsb:1, or cosine:0.95"};
}

int Comparison::first_wrong() const {
  const auto it = std::ranges::find(rows, Judgement::wrong, &Row::state);
  return it == rows.end() ? -1 : static_cast<int>(it - rows.begin());
}

bool Comparison::identical() const {
  return std::ranges::all_of(rows, [](const Row& r) { return r.whole.identical(); });
}

bool only_moves(const Node& node) {
  static constexpr std::string_view moves[] = {
      "Reshape",      "Transpose",    "Slice", "Squeeze",      "Unsqueeze",
      "Flatten",      "Concat",       "Split", "Gather",       "Identity",
      "Expand",       "Tile",         "Pad",   "DepthToSpace", "SpaceToDepth",
      "BatchToSpace", "SpaceToBatch", "Relu",  "MaxPool"};
  return std::ranges::count(moves, node.op) > 0;
}

QuantParams step_of(const Graph& graph, ValueId id) {
  for (int depth = 0; depth < 16 && id != no_id; ++depth) {
    const Value& v = graph.value(id);
    if (v.quant.quantized()) return v.quant;
    if (v.dtype != DType::f32 || v.producer == no_id) return {};
    const Node& node = graph.node(v.producer);
    if (node.inputs.empty() || (node.op != "DequantizeLinear" && !only_moves(node))) return {};
    id = node.inputs[0];
    // Moving may take the channel axis elsewhere: a per-channel step would be read along a wrong
    // one.
    if (id != no_id && graph.value(id).quant.per_channel()) return {};
  }
  return {};
}

namespace {

double greatest(const Tensor& t) {
  double most = 0;
  for (std::int64_t i = 0; i < t.count(); ++i)
    if (const double x = std::abs(t.number(i)); std::isfinite(x)) most = std::max(most, x);
  return most;
}

bool plain_codes(const Value& v) {
  return is_integer(v.dtype) || v.dtype == DType::boolean;
}

Judgement judge(const Value& v, const Metrics& m, double magnitude, const Structure& structure,
                const Tolerance& t) {
  if (m.identical()) return Judgement::exact;
  if (m.not_finite > 0 || t.kind == Tolerance::Kind::exact) return Judgement::wrong;
  if (m.has_lsb) {
    if (m.max_lsb > t.lsb + 1e-3) return Judgement::wrong;
    return t.structure && !structure.kind.empty() ? Judgement::wrong : Judgement::rounding;
  }
  if (plain_codes(v)) return Judgement::wrong;  // counts and indices are not rounded
  return m.max_abs <= t.real * magnitude ? Judgement::rounding : Judgement::wrong;
}

class Comparer {
 public:
  Comparer(const Executor& reference, const Recorded& recorded, const Tolerance& tolerance,
           const Others& others)
      : g_(reference.graph()),
        recorded_(recorded),
        tolerance_(tolerance),
        others_(others),
        test_(reference, recorded) {}

  Result<Comparison> run() {
    Comparison c;
    c.samples = static_cast<std::int64_t>(recorded_.device.size());
    same_.assign(recorded_.device.size(), std::vector<bool>(g_.values().size(), false));
    for (const ValueId v : computed_values()) {
      const bool captured = std::ranges::any_of(
          recorded_.device, [&](const Sample& s) { return s.contains(g_.value(v).name); });
      if (test_.is_fixed(v)) {
        // Weights that the graph itself dequantizes are no work of the device, unless it shows
        // wrong ones.
        if (!captured) continue;
        LOCKSTEP_TRY(Row row, compare_value(v));
        if (row.state == Judgement::wrong) c.rows.push_back(std::move(row));
        continue;
      }
      ++c.tensors;
      if (!captured) {
        c.left_reference.push_back(g_.value(v).name);
        continue;
      }
      LOCKSTEP_TRY(Row row, compare_value(v));
      c.rows.push_back(std::move(row));
    }
    mark_inherited(c);
    return c;
  }

 private:
  // Network inputs, and what nodes make, in execution order.
  std::vector<ValueId> computed_values() const {
    std::vector<ValueId> order(g_.inputs().begin(), g_.inputs().end());
    for (const Node& node : g_.nodes())
      for (const ValueId v : node.outputs)
        if (v != no_id && !g_.value(v).constant) order.push_back(v);
    return order;
  }

  Result<Row> compare_value(ValueId id) {
    const Value& v = g_.value(id);
    Row row;
    row.value = id;
    row.node = v.producer;
    row.tensor = v.name;
    row.name = v.producer == no_id ? v.name : g_.node(v.producer).name;
    row.op = v.producer == no_id ? "input" : g_.node(v.producer).op;
    const QuantParams step = step_of(g_, id);
    Meter whole, local;
    StMeter st;
    StructureTest structure(v.shape, channel_axis(g_, id),
                            v.quant.per_channel() || !v.quant.quantized() ? 0 : v.quant.zero_at(0));
    double magnitude = 0;
    bool known = true,
         shared = true;  // shared: so far every recomputation is what the reference had end to end
    distance_.assign(recorded_.device.size(), 0);
    for (std::size_t s = 0; s < recorded_.device.size(); ++s) {
      const Tensor* device = test_.device(id, s);
      if (!device) continue;
      if (const auto it = recorded_.expected[s].find(v.name); it != recorded_.expected[s].end()) {
        LOCKSTEP_CHECK(whole.add(it->second, step, *device, step));
        LOCKSTEP_CHECK(st.add(it->second, *device, step));
        same_[s][static_cast<std::size_t>(id)] = it->second == *device;
      }
      LOCKSTEP_TRY(const Tensor* again, recomputed(id, s, row));
      known = known && again;
      if (!again) continue;
      const auto expected = recorded_.expected[s].find(v.name);
      if (shared && (expected == recorded_.expected[s].end() || again != &expected->second)) {
        shared = false;
        for (std::size_t t = 0; t < s; ++t)
          if (const Tensor* before = test_.device(id, t))
            LOCKSTEP_CHECK(local.add(recorded_.expected[t].at(v.name), step, *before, step));
      }
      if (!shared) LOCKSTEP_CHECK(local.add(*again, step, *device, step));
      if (row.segment.size() > 1) {
        LOCKSTEP_TRY(const Metrics alone, measure(*again, *device, step));
        distance_[s] = alone.max_abs;
      }
      if (plain_codes(v) && device->dtype() == v.dtype && !(*again == *device))
        structure.add(*again, *device);
      if (is_float(v.dtype)) magnitude = std::max(magnitude, greatest(*again));
    }
    row.whole = whole.metrics();
    row.st = st.metrics();
    row.local = shared ? row.whole : local.metrics();
    row.structure = structure.result();
    row.state =
        known ? judge(v, row.local, magnitude, row.structure, tolerance_) : Judgement::unknown;
    if (row.state == Judgement::wrong && tolerance_.kind != Tolerance::Kind::exact &&
        row.node != no_id) {
      row.in_spread = tolerance_.kind == Tolerance::Kind::standard && inside_spread(id, row);
      if (row.in_spread || equals_another(id, row)) row.state = Judgement::rounding;
    } else if (row.state == Judgement::rounding && tolerance_.kind == Tolerance::Kind::standard &&
               row.node != no_id) {
      equals_another(id, row);
    }
    return row;
  }

  // What the reference makes of the device's own inputs; null when that is not known. A network
  // input is compared with what was sent.
  Result<const Tensor*> recomputed(ValueId id, std::size_t s, Row& row) {
    if (g_.value(id).producer == no_id) {
      if (s >= recorded_.sent.size()) return static_cast<const Tensor*>(nullptr);
      const auto it = recorded_.sent[s].find(g_.value(id).name);
      return it == recorded_.sent[s].end() ? nullptr : &it->second;
    }
    Cone cone = test_.cone(id, s);
    if (cone.nodes.size() > row.segment.size()) row.segment = cone.nodes;
    if (!cone.known) {
      row.note = "a state of the run before was not captured";
      return static_cast<const Tensor*>(nullptr);
    }
    if (const auto it = recorded_.expected[s].find(g_.value(id).name);
        it != recorded_.expected[s].end() && it->second.dtype() == g_.value(id).dtype &&
        starts_equal(cone, s))
      return &it->second;
    LOCKSTEP_TRY(again_, test_.recompute(id, s));
    return &again_;
  }

  // All that the cone starts from is what the reference had end to end: so is what it makes.
  bool starts_equal(const Cone& cone, std::size_t s) const {
    return g_.states().empty() && std::ranges::all_of(cone.frontier, [&](ValueId v) {
             return test_.is_fixed(v) || same_[s][static_cast<std::size_t>(v)] ||
                    (!test_.device(v, s) && std::ranges::count(g_.inputs(), v) > 0);
           });
  }

  bool inside_spread(ValueId id, Row& row) {
    const auto spread = spread_of(test_, id, distance_);
    if (!spread.ok() || !*spread) return false;
    if ((*spread)->max_abs > 0)
      row.drift_lsb = (*spread)->rmse * (*spread)->max_lsb / (*spread)->max_abs;
    return row.local.not_finite == 0 && row.local.max_abs <= 1.25 * (*spread)->max_abs &&
           row.local.rmse <= 1.5 * (*spread)->rmse;
  }

  // One other arithmetic yields the device's values from the device's own inputs in every sample.
  bool equals_another(ValueId id, Row& row) {
    if (!others_) return false;
    const bool quantized =
        std::ranges::any_of(g_.values(), [](const Value& v) { return v.quant.quantized(); });
    if (tests_.empty())
      for (const Executor& executor : others_()) tests_.emplace_back(executor, recorded_);
    for (const LocalTest& other : tests_) {
      // Between quantized tensors, computing without quantization is no way of rounding: it is a
      // loss.
      if (quantized && other.reference().arithmetic().name == "float") continue;
      const Graph& g = other.reference().graph();
      const ValueId there = g.find_value(g_.value(id).name);
      if (there == no_id || g.value(there).dtype != g_.value(id).dtype) continue;
      bool all = true;
      for (std::size_t s = 0; all && s < recorded_.device.size(); ++s) {
        const Tensor* device = test_.device(id, s);
        if (!device) continue;
        const auto again = other.recompute(there, s);
        all = again.ok() && *again == *device;
      }
      if (!all) continue;
      row.like = other.reference().arithmetic().name;
      return true;
    }
    return false;
  }

  // A row inherits when what it was recomputed from differs because of a wrong operation before it.
  void mark_inherited(Comparison& c) const {
    std::vector<bool> tainted(g_.values().size(), false);
    std::vector<const Row*> row_of(g_.values().size(), nullptr);
    for (const Row& row : c.rows) row_of[static_cast<std::size_t>(row.value)] = &row;
    for (const ValueId v : g_.inputs())
      if (const Row* row = row_of[static_cast<std::size_t>(v)])
        tainted[static_cast<std::size_t>(v)] = row->state == Judgement::wrong;
    for (const Node& node : g_.nodes()) {
      const bool inherits = std::ranges::any_of(node.inputs, [&](ValueId v) {
        return v != no_id && tainted[static_cast<std::size_t>(v)];
      });
      for (const ValueId v : node.outputs) {
        if (v == no_id) continue;
        const Row* row = row_of[static_cast<std::size_t>(v)];
        tainted[static_cast<std::size_t>(v)] = (row && row->state == Judgement::wrong) ||
                                               (inherits && (!row || !row->whole.identical()));
      }
    }
    for (Row& row : c.rows) {
      if (row.node == no_id) continue;
      for (const NodeId n : row.segment)
        for (const ValueId v : g_.node(n).inputs)
          row.inherited = row.inherited ||
                          (v != no_id && v != row.value && tainted[static_cast<std::size_t>(v)]);
      row.inherited = row.inherited && !row.whole.identical();
    }
  }

  const Graph& g_;
  const Recorded& recorded_;
  const Tolerance& tolerance_;
  const Others& others_;
  LocalTest test_;
  std::deque<LocalTest> tests_;  // in the other arithmetics, made when first needed
  std::vector<std::vector<bool>>
      same_;  // [sample][value]: captured, and what the reference has end to end
  Tensor again_;
  std::vector<double> distance_;  // of the row at hand from its recomputation, per sample
};

}  // namespace

Result<Comparison> compare(const Executor& reference, const Recorded& recorded,
                           const Tolerance& tolerance, const Others& others) {
  return Comparer(reference, recorded, tolerance, others).run();
}

}  // namespace lockstep
