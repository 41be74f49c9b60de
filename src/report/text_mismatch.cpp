#include <cmath>

#include "base/text.h"
#include "diagnose/search.h"
#include "diagnose/trial.h"
#include "report/text_part.h"

namespace lockstep {
namespace {

class Mismatch : public TextPart {
 public:
  using TextPart::TextPart;
  void write() { mismatch(); }

 private:
  // Scales as the operation has them: of codes, or behind a dequantizer.
  std::string operation_text(NodeId n) const {
    const Graph& g = *r_.graph;
    if (n == no_id) return "network input: the device holds other numbers than were sent";
    const Node& node = g.node(n);
    std::string scales;
    for (const ValueId in : node.inputs) {
      if (in == no_id || g.value(in).constant || from_constants(in)) continue;
      if (const QuantParams q = step_of(g, in); q.quantized())
        scales += (scales.empty() ? "" : " + ") + fmt::format("{:.3g}", q.scale[0]);
    }
    const Value& y = codes_behind(node.outputs[0]);
    std::string text = node.op + " " + std::string(name_of(y.dtype)) + shape_text(y.shape);
    if (!scales.empty() && y.quant.quantized())
      text += fmt::format(", scales {} -> {:.3g}", scales, y.quant.scale[0]);
    return text;
  }

  // A dequantized weight or bias is no operand of the line.
  bool from_constants(ValueId id) const {
    const NodeId n = r_.graph->value(id).producer;
    return n != no_id && r_.graph->value(r_.graph->node(n).inputs[0]).constant != nullptr;
  }

  // The codes that a quantizer makes of a float, or the value itself.
  const Value& codes_behind(ValueId id) const {
    const Graph& g = *r_.graph;
    if (is_float(g.value(id).dtype))
      for (const NodeId n : g.consumers(id))
        if (g.node(n).op == "QuantizeLinear") return g.value(g.node(n).outputs[0]);
    return g.value(id);
  }

  // Where tensors between were not captured, only a cause that nothing else ties with names the
  // place.
  void first_wrong(const Row& row) {
    const WrongPlace place = first_wrong_place(v_, *r_.graph);
    const std::string name = place.node == no_id ? row.name : r_.graph->node(place.node).name;
    if (place.among == 1) {
      field("first wrong", bold(name) + "   " + operation_text(place.node));
    } else if (place.by_cause) {
      field("first wrong", bold(name) + ", by its cause   " + operation_text(place.node));
      more(fmt::format("the captured tensors alone say: one of {} operations up to {}", place.among,
                       name_of_row(row)));
    } else {
      field("first wrong", fmt::format("one of {} operations up to ", place.among) + bold(name));
      more("the tensors between were not captured");
    }
  }

  void mismatch() {
    if (v_.suspects.empty()) {
      field("verdict", red(v_.summary));
      for (const std::string& note : v_.notes) field("note", note);
      for (std::size_t i = 0; i < v_.advice.size(); ++i)
        i == 0 ? field("do", v_.advice[i]) : more(v_.advice[i]);
      for (std::size_t i = 0; i < v_.next.size(); ++i)
        i == 0 ? field("capture next", v_.next[i]) : more(v_.next[i]);
      return;
    }
    const Suspect& first = v_.suspects[0];
    const Row& row = v_.comparison.rows[first.row];
    first_wrong(row);
    const Metrics& m = row.local;
    more(fmt::format(
        "from its own inputs {} of {} values differ{}", grouped(m.differing), grouped(m.count),
        m.has_lsb
            ? fmt::format(", by {:.4g} LSB at most, {:+.2f} LSB in the mean", m.max_lsb, m.mean_lsb)
            : ""));
    if (!row.structure.kind.empty()) more("structure: " + row.structure.text);
    cause(first);
    repairs();
    for (std::size_t i = 0; i < v_.advice.size(); ++i)
      i == 0 ? field("do", fmt::format("{}. {}", i + 1, v_.advice[i]))
             : more(fmt::format("{}. {}", i + 1, v_.advice[i]));
    rewrites();
    others();
    for (std::size_t i = 0; i < v_.next.size(); ++i)
      i == 0 ? field("capture next", v_.next[i]) : more(v_.next[i]);
    for (const std::string& note : v_.notes) field("note", note);
  }

  std::string counts(const Explanation& e) const {
    return fmt::format("reproduces {} of {} values ({} of {} differing, {} spoiled)",
                       grouped(e.matching()), grouped(e.values), grouped(e.reproduced),
                       grouped(e.differing), grouped(e.spoiled));
  }

  std::string reach_text() const {
    const Reach& reach = v_.reach;
    if (reach.of_kind < 2 || !v_.scopes.empty()) return "";
    if (v_.not_examined)
      return fmt::format("; at least {} of {} {}s of this kind show it", reach.showing,
                         reach.of_kind, reach.op);
    if (reach.showing == reach.of_kind)
      return fmt::format("; all {} {}s of this kind show it", reach.of_kind, reach.op);
    return fmt::format("; {} of {} {}s of this kind {} it", reach.showing, reach.of_kind, reach.op,
                       reach.showing == 1 ? "shows" : "show");
  }

  // "every Add: shown at 6 of 6", "this operation alone: 5 others are right, though the fault would
  // show there".
  void scope() {
    if (v_.scopes.empty()) return;
    const ScopeReading& s = v_.scopes[0];
    std::string text = bold(s.name);
    if (s.sites.size() > 1) {
      text += fmt::format(": shown at {} of {}", s.shown, s.sites.size());
      if (s.silent) text += fmt::format(", {} would not show it on these inputs", s.silent);
      if (s.unknown) text += fmt::format(", {} not judged", s.unknown);
      if (s.right)
        text += fmt::format(", {} right all the same ({})", s.right, list(s.right_sites, 3));
    } else if (const ScopeReading& wide = *std::ranges::max_element(
                   v_.scopes, {}, [](const ScopeReading& r) { return r.sites.size(); });
               wide.right) {
      text += fmt::format(": {} other{} right, though the fault would show there ({})", wide.right,
                          wide.right > 1 ? "s are" : " is", list(wide.right_sites, 3));
    }
    field("scope", text);
    if (!s.settled && !s.would_settle.empty())
      more(fmt::format("or {}: {} would decide", s.or_else, list(s.would_settle, 3)));
    else if (!s.settled)
      more("or " + s.or_else);
  }

  // A fault at every place where it could act needs no place named.
  std::string target_spec(const Explanation& e) const {
    if (!v_.scopes.empty() && v_.suspects[0].cause() == &e && v_.scopes[0].sites.size() > 1 &&
        v_.scopes[0].right == 0 && std::ranges::all_of(v_.scopes, [&](const ScopeReading& r) {
          return r.sites.size() <= v_.scopes[0].sites.size();
        }))
      return spec_text(*e.fault, "", e.params);
    constexpr std::size_t few = 4;
    if (!v_.scopes.empty() && v_.suspects[0].cause() == &e && e.also.empty() &&
        v_.scopes[0].right == 0 && v_.scopes[0].sites.size() > 1 &&
        v_.scopes[0].sites.size() <= few) {
      std::vector<std::string> all;
      for (const std::string& site : v_.scopes[0].sites)
        all.push_back(spec_text(*e.fault, site, e.params));
      return join(all, "+");
    }
    return short_spec(e.spec);
  }

  // Why a cause that leaves nothing, and has no rival, is not certain all the same.
  std::string why_open(const Suspect& s, const Explanation& e) const {
    if (s.cut_short) return "the search ended by its limit of work, other causes were not tried";
    if (e.listed && v_.comparison.rows[s.row].segment.size() > 1)
      return "places listed run by run may lie in any tensor on the way to the captured one";
    if (e.fault->orders_weights && v_.comparison.rows[s.row].segment.size() > 1)
      return "operands in another order, before the captured tensor, may do what weights in "
             "another order do";
    return "";
  }

  void cause(const Suspect& s) {
    const Explanation* e = s.cause();
    if (!e) {
      field("cause",
            red("unexplained") +
                fmt::format("   {} replays, none reproduces the numbers{}", s.tried,
                            s.cut_short ? " (the search ended by its limit of work)" : ""));
      if (!s.ranked.empty())
        more(fmt::format("nearest: {}, {}", short_spec(s.ranked[0].spec), counts(s.ranked[0])));
    } else {
      field("cause", bold(std::string(e->fault->name)) + "   " + e->claim + reach_text());
      std::string line = counts(*e);
      const auto next =
          std::find_if(s.ranked.begin() + 1, s.ranked.end(), [&](const Explanation& other) {
            return std::ranges::find(e->ties, other.spec) == e->ties.end();
          });
      if (next != s.ranked.end() && e->differing)
        line += fmt::format(
            "; next best: {}, {}", next->fault->name,
            percent(static_cast<double>(next->matching()) / static_cast<double>(next->values)));
      more(line);
      if (!e->ties.empty())
        more(red("tie: ") + "equally explained by " + list(specs_by_fault(e->ties), 4));
      if (!e->rivals.empty())
        more(red("not certain: ") + "the same numbers come, on these inputs, from " +
             list(specs_by_fault(e->rivals), 4));
      else if (e->exact() && !e->certain && !why_open(s, *e).empty())
        more(red("not certain: ") + why_open(s, *e));
      scope();
      if (e->arithmetic.empty())
        more(dim("as a target: sim:" + target_spec(*e)));
      else if (find_arithmetic(e->arithmetic))
        more(dim("as a target: sim:" + target_spec(*e) + " with --reference " + e->arithmetic));
      else
        more("as " + short_spec(e->spec) +
             dim("   in the arithmetic '" + e->arithmetic +
                 "': the reference computes this in reals"));
    }
    if (style_.ranking)
      for (std::size_t i = 0; i < std::min<std::size_t>(10, s.ranked.size()); ++i)
        more(fmt::format("{:>2}. {}   {}", i + 1, short_spec(s.ranked[i].spec),
                         counts(s.ranked[i])));
  }

  void repairs() {
    for (const Repair& r : v_.repairs) {
      std::string text = fmt::format("output cosine {} (replayed", cosine_text(r.cosine));
      if (r.cosine_before >= -1) text += fmt::format("; {} as it is", cosine_text(r.cosine_before));
      field("if repaired", text + ")" + (v_.repairs.size() > 1 ? "   " + r.output : ""));
    }
  }

  // Best first; `validate` shows the best two of either kind.
  void rewrites() {
    int shown[2] = {0, 0}, hidden = 0;
    for (const Rewrite& r : v_.rewrites) {
      if (++shown[r.holds] > 2 && !style_.ranking && !style_.all_rows) {
        ++hidden;
        continue;
      }
      const std::string text =
          fmt::format("{}: predicted output cosine {}", r.text, cosine_text(r.cosine));
      shown[r.holds] == 1 ? field(r.holds ? "would hold" : "will not hold", text) : more(text);
    }
    if (hidden) more(fmt::format("{} more rewrites, with `diagnose` and in --json", hidden));
  }

  void others() {
    constexpr std::size_t most = 9;
    const std::size_t shown =
        style_.all_rows ? v_.suspects.size() : std::min(most, v_.suspects.size());
    for (std::size_t i = 1; i < shown; ++i) {
      const Suspect& s = v_.suspects[i];
      const Explanation* e = s.cause();
      field("also wrong",
            name_among(v_.comparison.rows[s.row], v_.suspects) + "   " +
                (e ? std::string(e->fault->name) + ", " + counts(*e) : "unexplained"));
    }
    if (shown < v_.suspects.size())
      more(fmt::format("and {} more, in --json and with --all", v_.suspects.size() - shown));
    if (v_.not_examined)
      more(fmt::format("{} more wrong operations were not examined", v_.not_examined));
  }
};

}  // namespace

void write_mismatch(const Report& report, const TextStyle& style, std::string& out) {
  Mismatch(report, style, out).write();
}

}  // namespace lockstep
