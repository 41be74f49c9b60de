#include "report/text_part.h"

namespace lockstep {
namespace {

constexpr double worth_telling = 4;  // steps that one step becomes

class EnvelopeText : public TextPart {
 public:
  using TextPart::TextPart;

  void write() {
    if (v_.envelope && !v_.envelope->rows.empty()) envelope(*v_.envelope);
    if (v_.pc) pc(*v_.pc);
  }

 private:
  static std::string far(const EnvelopeRow& row, double x) {
    return fmt::format("{:.4g}{}", x, row.has_lsb ? " LSB" : "");
  }

  void envelope(const Envelope& e) {
    const EnvelopeRow& last = e.rows.back();
    const std::string names =
        e.arithmetics.empty() ? "no other arithmetic computes this model" : list(e.arithmetics, 8);
    field("envelope", fmt::format("{} samples in {}", e.samples, names));
    more(fmt::format("{}: {} apart at most{}, {} with operations rounding otherwise (simulated){}",
                     last.tensor, far(last, last.most),
                     last.widest.empty()
                         ? ""
                         : " (" + last.widest + ", " + percent(last.share) + " of the values)",
                     far(last, last.simulated),
                     last.device ? fmt::format("; the device {}", far(last, *last.device)) : ""));
    std::int64_t captured = 0, inside = 0;
    for (const EnvelopeRow& row : e.rows)
      captured += row.device.has_value(), inside += row.device && row.inside;
    if (!e.leaves) {
      more(green(fmt::format("the device is inside at {} of {} tensors", inside, captured)));
    } else {
      const EnvelopeRow& row = e.rows[*e.leaves];
      more(red(fmt::format(
          "the device leaves it at {}: {} where {} is legitimate; inside at {} of {} tensors",
          row.node, far(row, *row.device), far(row, std::max(row.most, row.simulated)), inside,
          captured)));
    }
    amplifiers(e);
  }

  void amplifiers(const Envelope& e) {
    std::vector<const EnvelopeRow*> rows;
    for (const EnvelopeRow& row : e.rows)
      if (row.gain >= worth_telling) rows.push_back(&row);
    std::ranges::stable_sort(
        rows, [](const EnvelopeRow* a, const EnvelopeRow* b) { return a->gain > b->gain; });
    if (rows.empty()) return;
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(3, rows.size()); ++i)
      text += fmt::format("{}{} ({}) to {:.3g} LSB", i ? ", " : "", rows[i]->node, rows[i]->op,
                          rows[i]->gain);
    more("one step at a twentieth of the input grows at " + text +
         (rows.size() > 3 ? fmt::format(" and at {} more", rows.size() - 3) : ""));
  }

  void pc(const PcRun& p) {
    field("PC run", p.faulty ? red(p.verdict) : p.verdict);
    more(p.file + " is " + p.is);
    if (!p.right && p.metrics.count)
      more(fmt::format(
          "first apart at {}: {} of {} values, cosine {}{}", p.tensor, grouped(p.metrics.differing),
          grouped(p.metrics.count), cosine_text(p.metrics.cosine),
          p.metrics.has_lsb ? fmt::format(", {:.4g} LSB at most", p.metrics.max_lsb) : ""));
    if (!p.spec.empty()) more(dim("as a target: sim:" + short_spec(p.spec)));
    for (std::size_t i = 0; i < p.advice.size(); ++i)
      i == 0 ? field("do", p.advice[i]) : more(p.advice[i]);
  }
};

}  // namespace

void write_envelope(const Report& report, const TextStyle& style, std::string& out) {
  EnvelopeText(report, style, out).write();
}

}  // namespace lockstep
