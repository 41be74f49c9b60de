#include "report/sensitivity.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "report/report.h"

namespace lockstep {
namespace {

constexpr std::size_t short_table = 48;

std::string steps_text(double n) {
  return fmt::format("{:+.0f} step{}", n, std::abs(n) == 1 ? "" : "s");
}

class Writer {
 public:
  Writer(const SensitivityReport& r, bool colour, bool all)
      : r_(r), s_(r.result), colour_(colour), all_(all) {}

  std::string write() {
    field("reference", r_.reference + (r_.runtime.empty() ? "" : "   " + paint("2", r_.runtime)));
    field("inputs", fmt::format("{} pair{}   {}", s_.pairs, s_.pairs == 1 ? "" : "s", r_.inputs));
    for (const std::string& note : s_.notes) field("note", note);
    out_ += "\n";
    table();
    out_ += "\n";
    verdict();
    smallest();
    for (const SoftmaxReach& x : s_.softmax) softmax(x);
    return out_;
  }

 private:
  std::string paint(const char* code, const std::string& text) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }
  void field(std::string_view name, const std::string& text) {
    out_ += paint("1", fmt::format("{:<14}", name)) + text + "\n";
  }
  void more(const std::string& text) { out_ += std::string(14, ' ') + text + "\n"; }

  std::string what_happens(const SensitivityRow& row) const {
    if (row.node == no_id) return row.changed ? "" : "equal";
    if (!row.reads_in) return "reads no difference";
    std::string text;
    const Absorbed& a = row.absorbed;
    if (a.known && a.moved) {
      const std::int64_t lost = a.below + a.low + a.high;
      if (lost) text = fmt::format("{} of {} moves lost: ", grouped(lost), grouped(a.moved));
      const std::pair<std::int64_t, const char*> ways[] = {
          {a.below, "rounding"}, {a.low, "least code"}, {a.high, "greatest code"}};
      bool first = true;
      for (const auto& [n, way] : ways)
        if (n) text += fmt::format("{}{} {}", first ? "" : ", ", grouped(n), way), first = false;
    }
    if (row.dies_in)
      text = paint("1;31", row.dies_in == row.reads_in
                               ? "DIES HERE"
                               : fmt::format("dies here in {} of {}", row.dies_in, row.reads_in)) +
             (text.empty() ? "" : "   " + text);
    return text;
  }

  void table() {
    std::size_t name = 4, op = 2;
    for (const SensitivityRow& row : s_.rows) {
      name = std::min<std::size_t>(44, std::max(name, row.name.size()));
      op = std::max(op, row.op.size());
    }
    out_ += paint("1", fmt::format("{:>4}  {:<{}}  {:<{}}  {:>9}  {:>9}  {:>8}  {:>10}   {}", "#",
                                   "node", name, "op", op, "elements", "changed", "max LSB",
                                   "codes used", "what happens to the difference")) +
            "\n";
    std::size_t hidden = 0;
    for (std::size_t i = 0; i < s_.rows.size(); ++i) {
      const SensitivityRow& row = s_.rows[i];
      const bool keep =
          all_ || s_.rows.size() <= short_table || i < 3 || i + 3 >= s_.rows.size() || row.dies_in;
      if (!keep) {
        ++hidden;
        continue;
      }
      if (hidden) out_ += paint("2", fmt::format("      ... {} more", hidden)) + "\n";
      hidden = 0;
      std::string shown =
          row.name.size() > name ? "..." + row.name.substr(row.name.size() - name + 3) : row.name;
      const std::string codes =
          row.codes_all ? fmt::format("{} of {}", row.codes_used, row.codes_all) : "-";
      std::string line = fmt::format(
          "{:>4}  {:<{}}  {:<{}}  {:>9}  {:>9}  {:>8}  {:>10}   {}", i + 1, shown, name, row.op, op,
          grouped(row.elements), grouped(row.changed),
          row.has_lsb ? fmt::format("{:.4g}", row.max_lsb) : "-", codes, what_happens(row));
      out_ += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
  }

  void verdict() {
    if (s_.pairs == 0) return field("verdict", "the inputs are equal: nothing to follow");
    if (s_.reaching == s_.pairs) {
      field("verdict", "the difference reaches the output" +
                           (s_.pairs > 1 ? fmt::format(" in all {} pairs", s_.pairs) : ""));
      return;
    }
    const std::int64_t still = s_.pairs - s_.reaching;
    if (s_.reaching == 0)
      field("verdict", paint("1;31", "the reference's output does not change") +
                           ": a device with constant outputs agrees with it here");
    else
      field("verdict", paint("1;31", fmt::format("the output stays the same in {} of {} pairs",
                                                 still, s_.pairs)) +
                           (still == 1 ? ": in that pair" : ": in those") +
                           " a device that does not move is right");
    bool first = true;
    for (const SensitivityRow& row : s_.rows) {
      if (!row.dies_in) continue;
      const std::string text = fmt::format("{}   {}", row.name, row.why);
      first ? field("dies at", text) : more(text);
      first = false;
    }
  }

  void smallest() {
    bool first = true;
    for (const SmallestChange& c : s_.smallest) {
      std::string text;
      if (c.kind == "their difference")
        text = !c.found ? "their difference: not even 1024 times as large"
               : c.amount <= 1
                   ? fmt::format("their difference: {:.3g} of it is enough", c.amount)
                   : fmt::format("their difference: it would have to be {:.3g} times as large",
                                 c.amount);
      else if (!c.found)
        text = fmt::format("{} of {}: none found", c.kind, c.where);
      else
        text = fmt::format("{} {}: {}", c.kind, c.kind == "one element" ? c.where : "of " + c.where,
                           steps_text(c.amount));
      text += fmt::format("   ({}{} runs)",
                          c.elements < c.of ? fmt::format("{} of {} elements tried, ",
                                                          grouped(c.elements), grouped(c.of))
                                            : "",
                          c.tried);
      first ? field("reaches", "smallest change found that changes the output of " + base())
            : void();
      more(text);
      first = false;
    }
  }

  // The searches' starting point, where there is more than one.
  std::string base() const {
    return s_.pairs == 1 ? "the first input" : fmt::format("the first input of pair {}", s_.base);
  }

  void softmax(const SoftmaxReach& x) {
    std::vector<std::string> codes;
    for (std::size_t i = 0; i < std::min<std::size_t>(10, x.codes.size()); ++i)
      codes.push_back(std::to_string(x.codes[i]));
    if (codes.size() < x.codes.size()) codes.push_back("...");
    field("softmax",
          fmt::format("{}   its codes are {} there; the top logit leads by {:.0f} steps of {:.3g}",
                      x.node, join(codes, " "), x.gap, x.step));
    const auto steps = [](int n) { return fmt::format("{} step{}", n, n == 1 ? "" : "s"); };
    const auto changes = [](int n) { return n == 1 ? "changes a code" : "change a code"; };
    more(x.up ? fmt::format("up: {} {}", steps(x.up), changes(x.up))
              : fmt::format("up: no code changes before the logit's rail, {} steps away",
                            std::max<std::int64_t>(0, x.room)));
    more(x.down
             ? fmt::format("down: {} ({:.3g}) {}", steps(x.down), x.down * x.step, changes(x.down))
             : "down: no code changes");
  }

  const SensitivityReport& r_;
  const Sensitivity& s_;
  const bool colour_, all_;
  std::string out_;
};

}  // namespace

std::string text_sensitivity(const SensitivityReport& report, bool colour, bool all_rows) {
  return Writer(report, colour, all_rows).write();
}

std::string json_sensitivity(const SensitivityReport& report) {
  using Json = nlohmann::ordered_json;
  const Sensitivity& s = report.result;
  Json j = {{"schema", "lockstep.sensitivity"},
            {"version", 1},
            {"model", report.model},
            {"reference", report.reference},
            {"runtime", report.runtime},
            {"inputs", report.inputs},
            {"pairs", s.pairs},
            {"reaching", s.reaching},
            {"base_pair", s.base}};
  j["rows"] = Json::array();
  for (const SensitivityRow& r : s.rows) {
    Json row = {{"tensor", r.tensor},
                {"node", r.name},
                {"op", r.op},
                {"elements", r.elements},
                {"changed", r.changed},
                {r.has_lsb ? "max_lsb" : "max_change", r.max_lsb},
                {"pairs_in", r.reads_in},
                {"pairs_dying", r.dies_in}};
    if (r.codes_all) row["codes_used"] = r.codes_used, row["codes_all"] = r.codes_all;
    if (r.absorbed.known)
      row["exact"] = {{"moved", r.absorbed.moved},
                      {"rounded_away", r.absorbed.below},
                      {"at_least_code", r.absorbed.low},
                      {"at_greatest_code", r.absorbed.high},
                      {"most_rounded_away", r.absorbed.most}};
    if (!r.why.empty()) row["why"] = r.why;
    j["rows"].push_back(row);
  }
  j["smallest"] = Json::array();
  for (const SmallestChange& c : s.smallest)
    j["smallest"].push_back({{"kind", c.kind},
                             {"found", c.found},
                             {"amount", c.amount},
                             {"unit", c.in_steps ? "steps" : "times the difference"},
                             {"where", c.where},
                             {"runs", c.tried},
                             {"elements_tried", c.elements}});
  j["softmax"] = Json::array();
  for (const SoftmaxReach& x : s.softmax)
    j["softmax"].push_back({{"node", x.node},
                            {"logits", x.logits},
                            {"step", x.step},
                            {"gap", x.gap},
                            {"room_up", x.room},
                            {"up", x.up ? Json(x.up) : Json(nullptr)},
                            {"down", x.down ? Json(x.down) : Json(nullptr)},
                            {"codes", x.codes}});
  j["notes"] = s.notes;
  return j.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace lockstep
