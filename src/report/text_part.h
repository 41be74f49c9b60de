#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "report/fold.h"
#include "report/report.h"

namespace lockstep {

// Never shows 1.00000 for less: truncates.
inline std::string cosine_text(double cosine) {
  return fmt::format("{:.5f}", std::floor(cosine * 1e5 + 1e-9) / 1e5);
}

// What the parts of the text report share: fields, colours, names.
class TextPart {
 public:
  TextPart(const Report& report, const TextStyle& style, std::string& out)
      : r_(report), v_(report.verdict), style_(style), out_(out) {}

 protected:
  // Only the outputs were asked about.
  bool gate() const { return r_.tolerance.starts_with("cosine:"); }
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

  static std::string list(const std::vector<std::string>& names, std::size_t most) {
    std::string text;
    for (std::size_t i = 0; i < std::min(most, names.size()); ++i)
      text += (i ? ", " : "") + names[i];
    return names.size() > most ? text + fmt::format(" and {} more", names.size() - most) : text;
  }

  std::string name_of_row(const Row& row) const {
    const NodeId n = operation_of(row, *r_.graph);
    return n == no_id ? row.name : r_.graph->node(n).name;
  }
  // With its tensor, where others of its node are wrong too.
  std::string name_among(const Row& row, const std::vector<Suspect>& suspects) const {
    const std::string name = name_of_row(row);
    const auto alike = std::ranges::count_if(
        suspects, [&](const Suspect& s) { return name_of_row(v_.comparison.rows[s.row]) == name; });
    return alike > 1 && row.tensor != name ? name + " (" + row.tensor + ")" : name;
  }
  std::string op_of_row(const Row& row) const {
    const NodeId n = operation_of(row, *r_.graph);
    return n == no_id ? row.op : r_.graph->node(n).op;
  }

  const Report& r_;
  const Verdict& v_;
  const TextStyle& style_;
  std::string& out_;
};

// One line for each operation.
void write_table(const Report& report, const TextStyle& style, std::string& out);
// What is wrong, why, how far it reaches, and what to do.
void write_mismatch(const Report& report, const TextStyle& style, std::string& out);
// Where legitimate arithmetics lie apart and the device among them; which side is wrong, where a
// run on the PC was given.
void write_envelope(const Report& report, const TextStyle& style, std::string& out);

}  // namespace lockstep
