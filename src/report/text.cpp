#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "report/fold.h"
#include "report/report.h"

namespace lockstep {
namespace {

constexpr std::size_t short_table = 40;

// Never shows 1.00000 for less: truncates.
std::string cosine_text(double cosine) {
  return fmt::format("{:.5f}", std::floor(cosine * 1e5 + 1e-9) / 1e5);
}

class Writer {
 public:
  Writer(const Report& report, const TextStyle& style) : r_(report), v_(report.verdict), style_(style) {
    lines_ = fold_rows(v_.comparison, *r_.graph);
  }

  std::string write() {
    head();
    table();
    if (v_.healthy) healthy();
    else mismatch();
    return out_;
  }

 private:
  std::string paint(const char* code, const std::string& text) const {
    return style_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }
  std::string red(const std::string& t) const { return paint("1;31", t); }
  std::string green(const std::string& t) const { return paint("32", t); }
  std::string dim(const std::string& t) const { return paint("2", t); }
  std::string bold(const std::string& t) const { return paint("1", t); }

  void field(std::string_view name, const std::string& text) {
    out_ += bold(fmt::format("{:<14}", name)) + text + "\n";
  }
  void more(const std::string& text) { out_ += std::string(14, ' ') + text + "\n"; }

  void head() {
    field("reference", r_.reference + (r_.runtime.empty() ? "" : "   " + dim(r_.runtime)));
    field("device", r_.device + (r_.target == r_.device ? "" : "   " + dim(r_.target)));
    field("samples", fmt::format("{}   {}", v_.comparison.samples, r_.input));
    std::string left;
    if (!v_.comparison.left_device.empty())
      left = fmt::format("   unpaired on the device: {}", list(v_.comparison.left_device, 4));
    const bool folded = lines_.size() < v_.comparison.rows.size();
    field("tensors", fmt::format("compared {} of {}{}{}", v_.comparison.rows.size(), v_.comparison.tensors,
                                 folded ? "   quantizers stand with their operations" : "", left));
    if (!r_.tolerance.empty()) field("tolerance", r_.tolerance);
    constexpr std::size_t most = 6;
    for (std::size_t i = 0; i < std::min(most, r_.notes.size()); ++i) field("note", r_.notes[i]);
    if (r_.notes.size() > most) more(fmt::format("and {} more notes, in --json", r_.notes.size() - most));
    out_ += "\n";
  }

  static std::string list(const std::vector<std::string>& names, std::size_t most) {
    std::string text;
    for (std::size_t i = 0; i < std::min(most, names.size()); ++i) text += (i ? ", " : "") + names[i];
    return names.size() > most ? text + fmt::format(" and {} more", names.size() - most) : text;
  }

  const Row& row_of(const Line& line) const { return v_.comparison.rows[line.row]; }
  const Row& codes_of(const Line& line) const { return v_.comparison.rows[line.codes]; }

  std::string name_of_row(const Row& row) const {
    const NodeId n = operation_of(row, *r_.graph);
    return n == no_id ? row.name : r_.graph->node(n).name;
  }
  std::string op_of_row(const Row& row) const {
    const NodeId n = operation_of(row, *r_.graph);
    return n == no_id ? row.op : r_.graph->node(n).op;
  }

  // Which lines a long table keeps: the ends, and two around each wrong one.
  std::vector<bool> kept() const {
    std::vector<bool> keep(lines_.size(), style_.all_rows || lines_.size() <= short_table);
    const auto mark = [&](std::size_t i) { if (i < keep.size()) keep[i] = true; };
    for (std::size_t i = 0; i < 3; ++i) mark(i), mark(lines_.size() - 1 - i);
    for (std::size_t i = 0, shown = 0; i < lines_.size() && shown < 8; ++i) {
      if (row_of(lines_[i]).state != Judgement::wrong) continue;
      ++shown;
      for (std::size_t j = i < 2 ? 0 : i - 2; j <= i + 2; ++j) mark(j);
    }
    return keep;
  }

  std::string state_text(const Row& row) const {
    std::string text;
    switch (row.state) {
      case Judgement::exact: text = "right"; break;
      case Judgement::rounding: text = row.in_spread ? "inside the spread" : "right within rounding"; break;
      case Judgement::wrong: text = "WRONG"; break;
      case Judgement::unknown: text = "unknown"; break;
    }
    if (!row.like.empty()) text = "right (as " + row.like + ")";
    if (row.state == Judgement::wrong && row.local.has_lsb && row.local.max_lsb <= 1 && !row.structure.kind.empty())
      text += " (within 1 LSB, but " + row.structure.kind + ")";
    if (row.inherited && row.state != Judgement::wrong) text += " (its input is wrong)";
    if (const auto n = operations_in(row, *r_.graph); n > 1) text += fmt::format(", over {} operations", n);
    if (!row.note.empty()) text += "; " + row.note;
    return row.state == Judgement::wrong ? red(text) : row.state == Judgement::unknown ? dim(text) : text;
  }

  void table() {
    std::size_t name = 4, op = 2;
    const std::vector<bool> keep = kept();
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (!keep[i]) continue;
      name = std::min<std::size_t>(44, std::max(name, name_of_row(row_of(lines_[i])).size()));
      op = std::max(op, op_of_row(row_of(lines_[i])).size());
    }
    out_ += bold(fmt::format("{:>4}  {:<{}}  {:<{}}  {:>8}  {:>7}  {:>8}   {}", "#", "node", name, "op", op, "cosine",
                             "max LSB", "differ", "from device's own inputs")) + "\n";
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (!keep[i]) {
        std::size_t end = i, wrong = 0;
        for (; end < lines_.size() && !keep[end]; ++end) wrong += row_of(lines_[end]).state == Judgement::wrong;
        out_ += dim(fmt::format("      ... {} more{}", end - i, wrong ? fmt::format(", {} of them wrong", wrong) : "")) + "\n";
        i = end - 1;
        continue;
      }
      table_line(i, name, op);
    }
    out_ += "\n";
  }

  void table_line(std::size_t i, std::size_t name, std::size_t op) {
    const Row &row = row_of(lines_[i]), &codes = codes_of(lines_[i]);
    std::string shown = name_of_row(row);
    if (shown.size() > name) shown = "..." + shown.substr(shown.size() - name + 3);
    const std::string lsb = codes.whole.has_lsb ? fmt::format("{:.4g}", codes.whole.max_lsb) : "-";
    // The operation's own judgement, or that of its codes when only these left the exact values.
    const Row& judged = row.state == Judgement::exact && codes.state != Judgement::exact ? codes : row;
    out_ += fmt::format("{:>4}  {:<{}}  {:<{}}  {:>8}  {:>7}  {:>8}   {}\n", i + 1, shown, name, op_of_row(row), op,
                        cosine_text(codes.whole.cosine), lsb, percent(codes.whole.share_differing()), state_text(judged));
  }

  void healthy() {
    field("verdict", green(v_.summary));
    const auto& rows = v_.comparison.rows;
    double most = 0;
    std::int64_t differing = 0, values = 0;
    bool lsb = false;
    for (const Row& row : rows) {
      if (row.node == no_id) continue;
      differing += row.local.differing;
      values += row.local.count;
      if (row.local.has_lsb) most = std::max(most, row.local.max_lsb), lsb = true;
    }
    if (differing > 0)
      more(fmt::format("from the device's own inputs {} of {} values differ{}", grouped(differing), grouped(values),
                       lsb ? fmt::format(", by {:.3g} LSB at most", most) : ""));
    if (!rows.empty() && !rows.back().whole.identical()) {
      const Metrics& m = rows.back().whole;
      more(fmt::format("drift at {}: cosine {}, {}{} of its values differ", rows.back().tensor, cosine_text(m.cosine),
                       m.has_lsb ? fmt::format("{:.3g} LSB at most, ", m.max_lsb) : "", percent(m.share_differing())));
    }
    const auto unknown = std::ranges::count(rows, Judgement::unknown, &Row::state);
    if (unknown) more(fmt::format("{} tensors could not be recomputed and carry no verdict", unknown));
  }

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

  // Where tensors between were not captured, only a cause that nothing else ties with names the place.
  void first_wrong(const Row& row) {
    const Place place = first_wrong_place(v_, *r_.graph);
    const std::string name = place.node == no_id ? row.name : r_.graph->node(place.node).name;
    if (place.among == 1) {
      field("first wrong", bold(name) + "   " + operation_text(place.node));
    } else if (place.by_cause) {
      field("first wrong", bold(name) + ", by its cause   " + operation_text(place.node));
      more(fmt::format("the captured tensors alone say: one of {} operations up to {}", place.among, name_of_row(row)));
    } else {
      field("first wrong", fmt::format("one of {} operations up to ", place.among) + bold(name));
      more("the tensors between were not captured");
    }
  }

  void mismatch() {
    if (v_.suspects.empty()) {
      field("verdict", red(v_.summary));
      return;
    }
    const Suspect& first = v_.suspects[0];
    const Row& row = v_.comparison.rows[first.row];
    first_wrong(row);
    const Metrics& m = row.local;
    more(fmt::format("from its own inputs {} of {} values differ{}", grouped(m.differing), grouped(m.count),
                     m.has_lsb ? fmt::format(", by {:.4g} LSB at most, {:+.2f} LSB in the mean", m.max_lsb, m.mean_lsb) : ""));
    if (!row.structure.kind.empty()) more("structure: " + row.structure.text);
    cause(first);
    repairs();
    for (std::size_t i = 0; i < v_.advice.size(); ++i)
      i == 0 ? field("do", fmt::format("{}. {}", i + 1, v_.advice[i])) : more(fmt::format("{}. {}", i + 1, v_.advice[i]));
    rewrites();
    others();
    for (std::size_t i = 0; i < v_.next.size(); ++i) i == 0 ? field("capture next", v_.next[i]) : more(v_.next[i]);
    for (const std::string& note : v_.notes) field("note", note);
  }

  std::string counts(const Explanation& e) const {
    return fmt::format("reproduces {} of {} values ({} of {} differing, {} spoiled)", grouped(e.matching()),
                       grouped(e.values), grouped(e.reproduced), grouped(e.differing), grouped(e.spoiled));
  }

  std::string reach_text() const {
    const Reach& reach = v_.reach;
    if (reach.of_kind < 2) return "";
    if (v_.not_examined) return fmt::format("; at least {} of {} {}s of this kind show it", reach.showing, reach.of_kind, reach.op);
    if (reach.showing == reach.of_kind) return fmt::format("; all {} {}s of this kind show it", reach.of_kind, reach.op);
    return fmt::format("; {} of {} {}s of this kind {} it", reach.showing, reach.of_kind, reach.op,
                       reach.showing == 1 ? "shows" : "show");
  }

  static std::vector<std::string> short_specs(const std::vector<std::string>& specs) {
    std::vector<std::string> out;
    for (const std::string& spec : specs) out.push_back(short_spec(spec));
    return out;
  }

  void cause(const Suspect& s) {
    const Explanation* e = s.cause();
    if (!e) {
      field("cause", red("unexplained") + fmt::format("   {} replays, none reproduces the numbers{}", s.tried,
                                                      s.cut_short ? " (the search ended by its limit of work)" : ""));
      if (!s.ranked.empty())
        more(fmt::format("nearest: {}, {}", short_spec(s.ranked[0].spec), counts(s.ranked[0])));
    } else {
      field("cause", bold(std::string(e->fault->name)) + "   " + e->claim + reach_text());
      std::string line = counts(*e);
      const auto next = std::find_if(s.ranked.begin() + 1, s.ranked.end(), [&](const Explanation& other) {
        return std::ranges::find(e->ties, other.spec) == e->ties.end();
      });
      if (next != s.ranked.end() && e->differing)
        line += fmt::format("; next best: {}, {}", next->fault->name,
                            percent(static_cast<double>(next->matching()) / static_cast<double>(next->values)));
      more(line);
      if (!e->ties.empty()) more(red("tie: ") + "equally explained by " + list(short_specs(e->ties), 4));
      if (!e->rivals.empty())
        more(red("not certain: ") + "the same numbers come, on these inputs, from " + list(short_specs(e->rivals), 4));
      if (e->arithmetic.empty()) more(dim("as a target: sim:" + short_spec(e->spec)));
      else more("as " + short_spec(e->spec) + dim("   in the arithmetic '" + e->arithmetic + "': the reference computes this in reals"));
    }
    if (style_.ranking)
      for (std::size_t i = 0; i < std::min<std::size_t>(10, s.ranked.size()); ++i)
        more(fmt::format("{:>2}. {}   {}", i + 1, short_spec(s.ranked[i].spec), counts(s.ranked[i])));
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
      const std::string text = fmt::format("{}: predicted output cosine {}", r.text, cosine_text(r.cosine));
      shown[r.holds] == 1 ? field(r.holds ? "would hold" : "will not hold", text) : more(text);
    }
    if (hidden) more(fmt::format("{} more rewrites, with `diagnose` and in --json", hidden));
  }

  void others() {
    constexpr std::size_t most = 9;
    const std::size_t shown = style_.all_rows ? v_.suspects.size() : std::min(most, v_.suspects.size());
    for (std::size_t i = 1; i < shown; ++i) {
      const Suspect& s = v_.suspects[i];
      const Explanation* e = s.cause();
      field("also wrong", name_of_row(v_.comparison.rows[s.row]) + "   " +
                              (e ? std::string(e->fault->name) + ", " + counts(*e) : "unexplained"));
    }
    if (shown < v_.suspects.size())
      more(fmt::format("and {} more, in --json and with --all", v_.suspects.size() - shown));
    if (v_.not_examined) more(fmt::format("{} more wrong operations were not examined", v_.not_examined));
  }

  const Report& r_;
  const Verdict& v_;
  const TextStyle& style_;
  std::vector<Line> lines_;
  std::string out_;
};

}  // namespace

std::string text_report(const Report& report, const TextStyle& style) { return Writer(report, style).write(); }

}  // namespace lockstep
