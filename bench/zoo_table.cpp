#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "zoo.h"

namespace lockstep::zoo {
namespace {

struct Tally {
  int cases = 0, visible = 0, first = 0, named = 0, same = 0, wrong = 0, unexplained = 0,
      undecided = 0, healthy = 0, certain_wrong = 0;
  double seconds = 0;
  void add(const Outcome& o) {
    ++cases;
    seconds = std::max(seconds, o.seconds);
    if (!o.visible()) return;
    ++visible;
    first += o.first_right;
    named += o.fate == Fate::named;
    same += o.fate == Fate::same;
    wrong += o.fate == Fate::wrong;
    unexplained += o.fate == Fate::unexplained;
    undecided += o.fate == Fate::undecided;
    healthy += o.fate == Fate::healthy;
    certain_wrong += o.fate == Fate::wrong && o.certain;
  }
  int right() const { return named + same; }
};

double share(int part, int whole) {
  return whole ? 100.0 * part / whole : 100.0;
}

struct Sums {
  std::map<std::string, Tally> by_fault, by_model, by_unknown;
  Tally level[3], unknown[3];
  int total = 0, visible = 0, invisible = 0, arithmetic = 0, failed = 0;
  int fitted = 0, fitted_close = 0;
  std::map<std::string, int> confused;
  std::vector<std::string> missed;
};

Sums sums_of(const Score& score) {
  Sums s;
  for (std::size_t i = 0; i < score.cases.size(); ++i) {
    const Case& c = score.cases[i];
    const Outcome& o = score.outcomes[i];
    ++s.total;
    s.visible += o.visible();
    s.invisible += o.fate == Fate::invisible;
    s.arithmetic += o.fate == Fate::arithmetic;
    s.failed += o.fate == Fate::failed;
    if (!c.fault) {
      s.unknown[static_cast<int>(c.level)].add(o);
      s.by_unknown[c.unknown + ", " + level_names[static_cast<int>(c.level)]].add(o);
      if (o.fate == Fate::wrong || o.fate == Fate::healthy)
        s.missed.push_back(c.text() + " is called " + o.said);
      continue;
    }
    s.level[static_cast<int>(c.level)].add(o);
    s.by_model[c.animal->name].add(o);
    if (c.level == Level::all) s.by_fault[std::string(c.fault->name)].add(o);
    if (o.parameter_error >= 0) {
      ++s.fitted;
      s.fitted_close += o.parameter_error <= 0.01;
    }
    if (!o.visible() || (o.right() && o.first_right)) continue;
    if (c.level == Level::all || o.fate == Fate::wrong || o.fate == Fate::healthy)
      s.missed.push_back(fmt::format("{}: {}{}{}{}", c.text(), fate_names[static_cast<int>(o.fate)],
                                     o.first_right ? "" : ", at another operation",
                                     o.certain ? ", as certain" : "",
                                     o.said.empty() ? "" : ", " + o.said));
  }
  return s;
}

std::string percent(int part, int whole) {
  return fmt::format("{:.1f} %", share(part, whole));
}

std::string rows(const std::map<std::string, Tally>& table) {
  std::string t;
  for (const auto& [name, x] : table)
    t += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", name, x.cases,
                     x.visible, percent(x.first, x.visible), x.named, x.same, x.wrong,
                     x.unexplained, x.undecided, x.healthy);
  return t;
}

constexpr const char* heads =
    "| {} | cases | visible | first wrong right | named | same numbers | wrong | unexplained | "
    "undecided | healthy |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";

std::string head(const std::string& first) {
  std::string t = heads;
  return t.replace(t.find("{}"), 2, first);
}

}  // namespace

std::string last_line(const Score& score) {
  const Sums s = sums_of(score);
  const Tally &all = s.level[0], &outputs = s.level[2];
  const auto alarms = std::ranges::count_if(score.pairs, &Pair::alarm);
  const Tally& unknown = s.unknown[0];
  const auto part = [](int of, int whole) {
    return whole ? fmt::format("{:.1f}%", share(of, whole)) : std::string("none");
  };
  return fmt::format(
      "zoo: cases {} visible {} first_wrong {} cause {} outputs_only {} false_alarms {} "
      "unexplained {}",
      s.total, s.visible, part(all.first, all.visible), part(all.right(), all.visible),
      part(outputs.right(), outputs.visible),
      score.pairs.empty() ? std::string("none") : std::to_string(alarms),
      part(unknown.unexplained, unknown.unexplained + unknown.wrong + unknown.healthy));
}

std::string page(const Score& score, const std::string& command) {
  const Sums s = sums_of(score);
  std::string t =
      "# The fault zoo\n\nMeasured by `" + command +
      "`. Every case is a virtual device with one known fault, judged by "
      "`diagnose` and scored.\n\n"
      "- *visible*: at least one captured code differs from every named arithmetic's; the others "
      "count apart.\n"
      "- *named*: the injected fault at its place; *same numbers*: another cause whose replay "
      "equals the device in "
      "all that is captured (one class of evidence), causes that list places run by run excepted.\n"
      "- *undecided*: what differs may be rounding that adds up, no cause was found, and the "
      "verdict says so and what to capture. "
      "*healthy*: visible and yet acquitted.\n\n";
  t += fmt::format(
      "{} cases: {} visible, {} invisible, {} compute as named arithmetics operation by operation, "
      "{} whose parameters "
      "do not fit the place.\n\n",
      s.total, s.visible, s.invisible, s.arithmetic, s.failed);
  t += head("evidence");
  for (int l = 0; l < 3; ++l) {
    const Tally& x = s.level[l];
    t += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", level_names[l],
                     x.cases, x.visible, percent(x.first, x.visible), x.named, x.same, x.wrong,
                     x.unexplained, x.undecided, x.healthy);
  }
  t += fmt::format(
      "\nWrong causes stated as certain: all tensors {}, every other {}, outputs only {}. Fitted "
      "parameters: {} of {} within 1 %, the others within the "
      "interval that the data allow (their replay equals the device in every value).\n",
      s.level[0].certain_wrong, s.level[1].certain_wrong, s.level[2].certain_wrong, s.fitted_close,
      s.fitted);
  t += "\n## By model (all levels of evidence)\n\n" + head("model") + rows(s.by_model);
  t += "\n## By fault (all tensors captured)\n\n" + head("fault") + rows(s.by_fault);
  t += "\n## Perturbations outside the catalogue\n\n" + head("generator") + rows(s.by_unknown);
  t += fmt::format(
      "\n## Healthy devices\n\n{} pairs of arithmetics over the models, {} called faulty.\n",
      score.pairs.size(), std::ranges::count_if(score.pairs, &Pair::alarm));
  t += fmt::format(
      "Against the model's own arithmetic, as if the device's had no name: {} called faulty.\n",
      std::ranges::count_if(score.pairs, &Pair::alarm_unnamed));
  for (const Pair& p : score.pairs)
    if (p.alarm || p.alarm_unnamed)
      t += fmt::format("- {}: reference {}, device {}: {}\n", p.model, p.reference, p.device,
                       p.said);
  t += fmt::format("\n## Missed\n\n{} cases.\n\n", s.missed.size());
  constexpr std::size_t widest = 240;  // causes may list places by the thousand
  for (const std::string& line : s.missed)
    t += "- " + (line.size() > widest ? line.substr(0, widest) + "..." : line) + "\n";
  return t + "\n" + last_line(score) + "\n";
}

}  // namespace lockstep::zoo
