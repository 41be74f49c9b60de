#include "report/three_way.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/fold.h"
#include "report/report.h"

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t short_table = 40;

std::string paint(bool colour, const char* code, const std::string& text) {
  return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

std::string field(bool colour, std::string_view name, const std::string& text) {
  return paint(colour, "1", fmt::format("{:<14}", name)) + text + "\n";
}

std::string cells(const Metrics& m) {
  const std::string lsb = m.has_lsb ? fmt::format("{:.4g}", m.max_lsb) : "-";
  return fmt::format("{:8.5f} {:>6} {:>8}", std::floor(m.cosine * 1e5 + 1e-9) / 1e5, lsb,
                     percent(m.share_differing()));
}

std::string_view letter(Judgement s) {
  switch (s) {
    case Judgement::exact:
      return "right";
    case Judgement::rounding:
      return "rounding";
    case Judgement::wrong:
      return "WRONG";
    case Judgement::unknown:
      return "unknown";
  }
  return "unknown";
}

Json metrics_of(const Metrics& m) {
  Json j = {{"count", m.count},
            {"differing", m.differing},
            {"cosine", std::isfinite(m.cosine) ? Json(m.cosine) : Json(nullptr)},
            {"rmse", m.rmse},
            {"max_abs", m.max_abs}};
  if (m.has_lsb) j["max_lsb"] = m.max_lsb, j["mean_lsb"] = m.mean_lsb;
  return j;
}

std::string drift_text(const DecisionDrift& d, double step) {
  std::string text = fmt::format("{} of {} flip; margin {:+.4g} in the mean", d.flips.size(),
                                 d.samples, d.mean_shift);
  if (step > 0) text += fmt::format(" ({:+.2f} LSB)", d.mean_shift / step);
  return text + fmt::format(", {:+.4g} at worst; weaker in {}, stronger in {}", d.worst_shift,
                            d.weaker, d.stronger);
}

Json drift_json(const DecisionDrift& d) {
  Json flips = Json::array();
  for (const Flip& f : d.flips)
    flips.push_back({{"sample", f.sample},
                     {"margin", f.margin},
                     {"margin_lsb", f.margin_lsb},
                     {"from", f.from},
                     {"to", f.to}});
  return {{"name", d.name},
          {"samples", d.samples},
          {"flips", flips},
          {"mean_shift", d.mean_shift},
          {"worst_shift", d.worst_shift},
          {"weaker", d.weaker},
          {"stronger", d.stronger}};
}

}  // namespace

namespace {

// Names and judgements of an operation's line, figures of the codes made of it.
struct Shown {
  std::string name;
  const ThreeWayRow *operation, *codes;
};

std::vector<Shown> shown_lines(const ThreeWay& t, const Answer& answer) {
  const Comparison& c = answer.verdict.comparison;
  const Graph& g = answer.reference->graph();
  const auto find = [&](std::size_t row) -> const ThreeWayRow* {
    const auto it = std::ranges::find(t.rows, c.rows[row].tensor, &ThreeWayRow::tensor);
    return it == t.rows.end() ? nullptr : &*it;
  };
  std::vector<Shown> lines;
  for (const FoldedLine& line : fold_rows(c, g)) {
    const ThreeWayRow *operation = find(line.row), *codes = find(line.codes);
    if (!operation && !codes) continue;
    const NodeId n = operation_of(c.rows[line.row], g);
    lines.push_back({n == no_id ? c.rows[line.row].name : g.node(n).name,
                     operation ? operation : codes, codes ? codes : operation});
  }
  return lines;
}

}  // namespace

std::string text_three_way(const ThreeWay& t, const Answer& answer, const std::string& a,
                           const std::string& b, bool colour, bool all_rows) {
  const std::vector<Shown> lines = shown_lines(t, answer);
  std::string out = field(colour, "A", a) + field(colour, "B", b) + "\n";
  std::size_t name = 4;
  for (const Shown& line : lines)
    name = std::min<std::size_t>(36, std::max(name, line.name.size()));
  out += paint(colour, "1",
               fmt::format("{:>4}  {:<{}}  {:^24}   {:^24}   {:^24}   {}", "", "", name,
                           "reference - A", "reference - B", "A - B", "from own inputs")) +
         "\n";
  const std::string heads = fmt::format("{:>8} {:>6} {:>8}", "cosine", "LSB", "differ");
  out += paint(colour, "1",
               fmt::format("{:>4}  {:<{}}  {:>24}   {:>24}   {:>24}   {:<10} {}", "#", "node", name,
                           heads, heads, heads, "A", "B")) +
         "\n";
  std::size_t hidden = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const ThreeWayRow &row = *lines[i].operation, &codes = *lines[i].codes;
    const bool wrong = row.state_a == Judgement::wrong || row.state_b == Judgement::wrong;
    if (!all_rows && lines.size() > short_table && i >= 3 && i + 3 < lines.size() && !wrong) {
      ++hidden;
      continue;
    }
    if (hidden) out += fmt::format("      ... {} more\n", hidden);
    hidden = 0;
    const std::string& n = lines[i].name;
    const std::string shown = n.size() > name ? "..." + n.substr(n.size() - name + 3) : n;
    out += fmt::format("{:>4}  {:<{}}  {:>24}   {:>24}   {:>24}   {:<10} {}\n", i + 1, shown, name,
                       cells(codes.a), cells(codes.b), cells(codes.between), letter(row.state_a),
                       letter(row.state_b));
  }
  out += "\n" + field(colour, "three-way", paint(colour, t.agree ? "32" : "1;31", t.verdict));
  if (!t.why.empty()) out += std::string(14, ' ') + t.why + "\n";
  return out;
}

std::string text_decision(const DecisionReport& d, const std::string& asked, bool colour) {
  std::string out =
      field(colour, "decision",
            fmt::format("{} at {}   {}", asked, d.output, drift_text(d.device, d.step)));
  const auto more = [&](const std::string& text) { out += std::string(14, ' ') + text + "\n"; };
  more(
      fmt::format("the reference's least margin is {:.4g}; {} of {} samples lie within the "
                  "device's worst shift",
                  d.least_margin, d.inside, d.device.samples));
  for (std::size_t i = 0; i < std::min<std::size_t>(8, d.device.flips.size()); ++i) {
    const Flip& f = d.device.flips[i];
    more(fmt::format("sample {}: {} becomes {}, at a margin of {:.4g}{}", f.sample, f.from, f.to,
                     f.margin, d.step > 0 ? fmt::format(" ({:.1f} LSB)", f.margin_lsb) : ""));
  }
  if (d.device.flips.size() > 8)
    more(fmt::format("and {} more, in --json", d.device.flips.size() - 8));
  std::string alike;
  for (const DecisionDrift& drift : d.arithmetics)
    if (drift.flips.empty() && drift.weaker == 0 && drift.stronger == 0)
      alike += (alike.empty() ? "" : ", ") + drift.name;
    else
      more(fmt::format("legitimate, {}: {}", drift.name, drift_text(drift, d.step)));
  if (!alike.empty()) more("legitimate, " + alike + ": every margin as the reference's");
  if (!d.arithmetics.empty())
    more(d.outside ? paint(colour, "1;31",
                           "the device's shift lies outside what the named arithmetics make")
                   : "the device's shift lies inside what the named arithmetics make");
  return out;
}

std::string json_three_way(const ThreeWay& t, const std::string& a, const std::string& b) {
  Json j = {{"schema", "lockstep.three_way"},
            {"version", 1},
            {"a", a},
            {"b", b},
            {"verdict", t.verdict},
            {"why", t.why},
            {"first",
             t.first < 0 ? Json(nullptr) : Json(t.rows[static_cast<std::size_t>(t.first)].name)}};
  j["rows"] = Json::array();
  for (const ThreeWayRow& row : t.rows)
    j["rows"].push_back({{"tensor", row.tensor},
                         {"node", row.name},
                         {"op", row.op},
                         {"reference_a", metrics_of(row.a)},
                         {"reference_b", metrics_of(row.b)},
                         {"a_b", metrics_of(row.between)},
                         {"state_a", letter(row.state_a)},
                         {"state_b", letter(row.state_b)}});
  return j.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string json_decision(const DecisionReport& d, const std::string& asked,
                          const std::string& target) {
  Json j = {{"schema", "lockstep.decision"},
            {"version", 1},
            {"target", target},
            {"decision", asked},
            {"output", d.output},
            {"step", d.step},
            {"least_margin", d.least_margin},
            {"within_worst_shift", d.inside},
            {"device", drift_json(d.device)},
            {"outside", d.outside}};
  j["arithmetics"] = Json::array();
  for (const DecisionDrift& drift : d.arithmetics) j["arithmetics"].push_back(drift_json(drift));
  return j.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace lockstep
