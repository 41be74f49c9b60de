#include "report/text_part.h"

namespace lockstep {
namespace {

constexpr std::size_t short_table = 40;

class Table : public TextPart {
 public:
  Table(const Report& report, const TextStyle& style, std::string& out)
      : TextPart(report, style, out), lines_(fold_rows(v_.comparison, *r_.graph)) {}

  void write() { table(); }

 private:
  const Row& row_of(const FoldedLine& line) const { return v_.comparison.rows[line.row]; }
  const Row& codes_of(const FoldedLine& line) const { return v_.comparison.rows[line.codes]; }

  // Which lines a long table keeps: the ends, and two around each wrong one.
  std::vector<bool> kept() const {
    std::vector<bool> keep(lines_.size(), style_.all_rows || lines_.size() <= short_table);
    const auto mark = [&](std::size_t i) {
      if (i < keep.size()) keep[i] = true;
    };
    for (std::size_t i = 0; i < 3; ++i) mark(i), mark(lines_.size() - 1 - i);
    for (std::size_t i = 0, shown = 0; i < lines_.size() && shown < 8; ++i) {
      if (row_of(lines_[i]).state != Judgement::wrong) continue;
      ++shown;
      for (std::size_t j = i < 2 ? 0 : i - 2; j <= i + 2; ++j) mark(j);
    }
    return keep;
  }

  std::string state_text(const Row& row) const {
    if (gate()) return dim("not judged");
    std::string text;
    switch (row.state) {
      case Judgement::exact:
        text = "right";
        break;
      case Judgement::rounding:
        text = row.in_spread ? "inside the spread" : "right within rounding";
        break;
      case Judgement::wrong:
        text = "WRONG";
        break;
      case Judgement::unknown:
        text = "unknown";
        break;
    }
    if (!row.like.empty()) text = "right (as " + row.like + ")";
    if (row.state == Judgement::wrong && row.local.has_lsb && row.local.max_lsb <= 1 &&
        !row.structure.kind.empty())
      text += " (within 1 LSB, but " + row.structure.kind + ")";
    if (row.inherited && row.state != Judgement::wrong) text += " (its input is wrong)";
    if (const auto n = operations_in(row, *r_.graph); n > 1)
      text += fmt::format(", over {} operations", n);
    if (!row.note.empty()) text += "; " + row.note;
    return row.state == Judgement::wrong     ? red(text)
           : row.state == Judgement::unknown ? dim(text)
                                             : text;
  }

  void table() {
    std::size_t name = 4, op = 2;
    const std::vector<bool> keep = kept();
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (!keep[i]) continue;
      name = std::min<std::size_t>(44, std::max(name, name_of_row(row_of(lines_[i])).size()));
      op = std::max(op, op_of_row(row_of(lines_[i])).size());
    }
    out_ += bold(fmt::format("{:>4}  {:<{}}  {:<{}}  {:>8}  {:>7}  {:>8}   {}", "#", "node", name,
                             "op", op, "cosine", "max LSB", "differ", "from device's own inputs")) +
            "\n";
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (!keep[i]) {
        std::size_t end = i, wrong = 0;
        for (; end < lines_.size() && !keep[end]; ++end)
          wrong += row_of(lines_[end]).state == Judgement::wrong;
        out_ += dim(fmt::format("      ... {} more{}", end - i,
                                wrong ? fmt::format(", {} of them wrong", wrong) : "")) +
                "\n";
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
    if (shown.size() > name) {
      std::size_t from = shown.size() - name + 3;
      while (from < shown.size() && (static_cast<unsigned char>(shown[from]) & 0xc0) == 0x80)
        ++from;  // not inside a character
      shown = "..." + shown.substr(from);
    }
    // NaN and infinity are left out of the figures, which must not look right where they stand.
    const Metrics& m = codes.whole;
    const std::string lsb =
        m.has_lsb && m.not_finite < m.count ? fmt::format("{:.4g}", m.max_lsb) : "-";
    const std::string cosine = m.not_finite > 0 ? "NaN" : cosine_text(m.cosine);
    // The operation's own judgement, or that of its codes when only these left the exact values.
    const Row& judged =
        row.state == Judgement::exact && codes.state != Judgement::exact ? codes : row;
    out_ += fmt::format("{:>4}  {:<{}}  {:<{}}  {:>8}  {:>7}  {:>8}   {}\n", i + 1, shown, name,
                        op_of_row(row), op, cosine, lsb, percent(m.share_differing()),
                        state_text(judged));
  }

  std::vector<FoldedLine> lines_;
};

}  // namespace

void write_table(const Report& report, const TextStyle& style, std::string& out) {
  Table(report, style, out).write();
}

}  // namespace lockstep
