// Transposes that meet their inverse only while the runtime optimizes: the rounds of its first
// level, and whether they change what computes on what (N115).
#include <algorithm>
#include <map>

#include "arith/arith_ort.h"
#include "pass/pass.h"
#include "pass/qdq.h"
#include "pass/transposes.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

constexpr int most_rounds = 10;

std::span<const std::string_view> before_this() {
  const auto here = std::ranges::find(ort_passes, std::string_view("cancel-transposes"));
  return {std::begin(ort_passes), here};
}
std::span<const std::string_view> behind_this() {
  return {before_this().data() + before_this().size() + 1, std::end(ort_passes)};
}

// A graph, and the tensors of the file that it shows otherwise.
struct Round {
  Graph graph;
  std::vector<Shown> shown;
};

Result<void> renew(Round& round, Draft& draft) {
  LOCKSTEP_TRY(Graph next, draft.finish());
  round.shown = shown_in(next, draft.shown, draft.values);
  round.graph = std::move(next);
  return {};
}

// One walk of the transpose optimizer. False: it found nothing.
Result<bool> walk(Round& round) {
  const Round start = round;
  Draft apart(round.graph, round.shown);
  split_dequantizers(apart);
  LOCKSTEP_CHECK(renew(round, apart));
  Draft carried(round.graph, round.shown);
  const bool moved = carry_transposes(carried);
  if (moved) LOCKSTEP_CHECK(renew(round, carried));
  Draft mended(round.graph, round.shown);
  if (mend_quantizers(mended)) {
    LOCKSTEP_CHECK(renew(round, mended));
  } else if (!moved) {
    round = start;
    return false;
  }
  const Graph before = round.graph;
  LOCKSTEP_TRY(round.graph, apply_passes(round.graph, before_this()));
  round.shown = shown_in(round.graph, round.shown, before.values());
  return true;
}

std::string quant_text(const Graph& g, const Node& n) {
  const bool quantizes = n.op == "QuantizeLinear";
  const ValueId codes = quantizes ? n.outputs[0] : n.inputs[0];
  const QuantParams q = stated_quant(g, n, g.value(codes).shape.size());
  std::string text = std::string(name_of(g.value(codes).dtype));
  if (q.per_channel() || !q.quantized()) return text + "*";
  return text + " " + std::to_string(q.scale[0] * 1e9) + " " + std::to_string(q.zero_at(0));
}

bool only_orders(const Node& n) {
  return n.op == "Transpose" || n.op == "Identity";
}

// What an operand went through since an operator computed it: quantizers, each once.
std::string way_of(const Graph& g, ValueId v) {
  std::string text;
  for (std::string last; v != no_id && g.value(v).producer != no_id;) {
    const Node& n = g.node(g.value(v).producer);
    const bool quantizer = n.op == "QuantizeLinear" || n.op == "DequantizeLinear";
    if (!quantizer && !only_orders(n)) return text + " of " + n.name;
    if (quantizer) {
      const std::string here = quant_text(g, n);
      if (here != last) text += " [" + here + "]";
      last = here;
    }
    v = n.inputs[0];
  }
  return text + (v != no_id && !g.value(v).constant ? " of " + g.value(v).name : "");
}

// Every operator that computes, with what it computes on: the same for graphs that yield the same.
std::map<std::string, std::string> computed(const Graph& g) {
  std::map<std::string, std::string> all;
  for (const Node& n : g.nodes()) {
    if (n.op == "QuantizeLinear" || n.op == "DequantizeLinear" || only_orders(n)) continue;
    std::string text = n.op + " " + n.attrs.text("codes", "") + " " + n.attrs.text("makes", "") +
                       " " + n.attrs.text("kernel", "");
    if (n.op.starts_with("Reduce"))
      for (const std::int64_t axis : n.attrs.integers("axes")) text += " " + std::to_string(axis);
    for (const ValueId v : n.inputs) {
      if (v == no_id) continue;
      text += " <- " + std::string(name_of(g.value(v).dtype)) + way_of(g, v);
      if (const QuantParams& q = g.value(v).quant; q.quantized() && !q.per_channel())
        text += " " + std::to_string(q.scale[0] * 1e9) + " " + std::to_string(q.zero_at(0));
    }
    for (const ValueId v : n.outputs)
      if (v != no_id) text += " -> " + std::string(name_of(g.value(v).dtype));
    all[n.name] = std::move(text);
  }
  for (std::size_t i = 0; i < g.outputs().size(); ++i)
    all["output " + std::to_string(i)] = way_of(g, g.outputs()[i]);
  return all;
}

// The edit of `from` that makes it `to`, value by value and node by node of one name.
Patch made_into(const Graph& from, const Graph& to) {
  Patch patch(from, "cancel-transposes");
  std::map<std::string_view, ValueId> values;
  std::map<std::string_view, NodeId> nodes;
  for (std::size_t v = 0; v < from.values().size(); ++v)
    values[from.values()[v].name] = static_cast<ValueId>(v);
  for (std::size_t n = 0; n < from.nodes().size(); ++n)
    nodes[from.nodes()[n].name] = static_cast<NodeId>(n);
  std::vector<ValueId> ids;
  for (const Value& v : to.values()) {
    const auto known = values.find(v.name);
    if (known == values.end()) {
      ids.push_back(patch.add_value(v));
    } else {
      ids.push_back(known->second);
      patch.set_value(known->second, v);
    }
  }
  for (const Node& n : to.nodes()) {
    Node next = n;
    for (auto* list : {&next.inputs, &next.outputs})
      for (ValueId& v : *list)
        if (v != no_id) v = ids[static_cast<std::size_t>(v)];
    const auto known = nodes.find(n.name);
    if (known == nodes.end()) {
      patch.add_node(std::move(next));
    } else {
      patch.replace_node(known->second, std::move(next));
      nodes.erase(known);
    }
  }
  for (const auto& [name, id] : nodes) patch.remove_node(id);
  return patch;
}

// Tensors of the file that no node makes any more, by Transposes of what is made instead.
Result<Graph> with_shown(const Graph& g, const std::vector<Shown>& shown, const Graph& file) {
  Patch patch(g, "cancel-transposes");
  std::vector<bool> named(g.values().size(), false);
  for (const Shown& s : shown) {
    if (g.find_value(s.value.name) != no_id || file.find_value(s.value.name) == no_id) continue;
    const Value& source = g.value(s.source);
    Value next = turned(source, s.perm);
    if (next.shape != s.value.shape || next.dtype != s.value.dtype || source.constant) continue;
    next.name = s.value.name;
    next.origin = s.value.origin;
    const auto at = static_cast<std::size_t>(s.source);
    if (is_identity(s.perm) && !named[at] && file.find_value(source.name) == no_id) {
      named[at] = true;
      patch.set_value(s.source, std::move(next));
      continue;
    }
    Node t;
    t.op = "Transpose";
    t.name = s.value.name + "/shown";
    t.origin = {s.value.origin.file, "", "", ""};
    t.inputs = {s.source};
    t.outputs = {patch.add_value(std::move(next))};
    t.attrs.set("perm", s.perm);
    patch.add_node(std::move(t));
  }
  return patch.apply();
}

}  // namespace

Result<Patch> cancel_transposes(const Graph& g) {
  Patch nothing(g, "cancel-transposes");
  const auto orders = std::ranges::count_if(
      g.nodes(), [](const Node& n) { return n.op == "Transpose" && stated_perm(n); });
  const bool quantized =
      std::ranges::any_of(g.nodes(), [](const Node& n) { return n.op == "QuantizeLinear"; });
  if (orders == 0 || !quantized || !g.states().empty()) return nothing;
  Round round{g, {}};
  bool changed = false;
  for (int i = 0; i < most_rounds; ++i) {
    LOCKSTEP_TRY(const bool more, walk(round));
    if (!more) break;
    changed = true;
  }
  if (!changed) return nothing;
  LOCKSTEP_TRY(const Graph plain, apply_passes(g, behind_this()));
  const Graph before = round.graph;
  LOCKSTEP_TRY(Graph fused, apply_passes(round.graph, behind_this()));
  if (computed(plain) == computed(fused)) return nothing;
  round.shown = shown_in(fused, round.shown, before.values());
  LOCKSTEP_TRY(const Graph whole, with_shown(fused, round.shown, g));
  return made_into(g, whole);
}

}  // namespace lockstep
