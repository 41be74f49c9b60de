#include "report/text_part.h"

namespace lockstep {
namespace {

class Writer : public TextPart {
 public:
  using TextPart::TextPart;

  void write() {
    head();
    write_table(r_, style_, out_);
    if (v_.healthy)
      healthy();
    else
      write_mismatch(r_, style_, out_);
    write_envelope(r_, style_, out_);
  }

 private:
  void head() {
    field("reference", r_.reference + (r_.runtime.empty() ? "" : "   " + dim(r_.runtime)));
    field("device", r_.device + (r_.target == r_.device ? "" : "   " + dim(r_.target)));
    field("samples", fmt::format("{}   {}", v_.comparison.samples, r_.input));
    std::string left;
    if (!v_.comparison.left_device.empty())
      left = fmt::format("   unpaired on the device: {}", list(v_.comparison.left_device, 4));
    const bool folded = fold_rows(v_.comparison, *r_.graph).size() < v_.comparison.rows.size();
    field("tensors",
          fmt::format("compared {} of {}{}{}", v_.comparison.rows.size(), v_.comparison.tensors,
                      folded ? "   quantizers stand with their operations" : "", left));
    if (!r_.tolerance.empty()) field("tolerance", r_.tolerance);
    constexpr std::size_t most = 6;
    for (std::size_t i = 0; i < std::min(most, r_.notes.size()); ++i) field("note", r_.notes[i]);
    if (r_.notes.size() > most)
      more(fmt::format("and {} more notes, in --json", r_.notes.size() - most));
    out_ += "\n";
  }

  void healthy() {
    field("verdict", green(v_.summary));
    if (gate()) return;
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
      more(fmt::format("from the device's own inputs {} of {} values differ{}", grouped(differing),
                       grouped(values), lsb ? fmt::format(", by {:.3g} LSB at most", most) : ""));
    if (!rows.empty() && !rows.back().whole.identical()) {
      const Metrics& m = rows.back().whole;
      more(fmt::format("drift at {}: cosine {}, {}{} of its values differ", rows.back().tensor,
                       cosine_text(m.cosine),
                       m.has_lsb ? fmt::format("{:.3g} LSB at most, ", m.max_lsb) : "",
                       percent(m.share_differing())));
    }
    const auto unknown = std::ranges::count(rows, Judgement::unknown, &Row::state);
    if (unknown)
      more(fmt::format("{} tensors could not be recomputed and carry no verdict", unknown));
    for (const std::string& note : v_.notes) field("note", note);
  }
};

}  // namespace

std::string text_report(const Report& report, const TextStyle& style) {
  std::string out;
  Writer(report, style, out).write();
  return out;
}

}  // namespace lockstep
