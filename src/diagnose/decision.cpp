#include "diagnose/decision.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "measure/reals.h"

namespace lockstep {
namespace {

bool take_index(std::string_view& text, int& index) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || index < 0) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_threshold(std::string_view text, double& t) {
  if (text.empty() || text[0] != '>') return false;
  text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), t);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(t);
}

struct Decided {
  std::size_t what = 0;
  double margin = 0;
};

// The reference's decision, and how far it is from the other one.
Decided decided(const Decision& d, const std::vector<double>& y) {
  if (d.kind == Decision::Kind::above) {
    const double x = y[static_cast<std::size_t>(d.first)] -
                     (d.second < 0 ? 0 : y[static_cast<std::size_t>(d.second)]);
    return {x > d.threshold ? 1u : 0u, std::abs(x - d.threshold)};
  }
  const auto top = static_cast<std::size_t>(std::ranges::max_element(y) - y.begin());
  double second = -INFINITY;
  for (std::size_t i = 0; i < y.size(); ++i)
    if (i != top) second = std::max(second, y[i]);
  return {top, y[top] - second};
}

// How far `y` is on the side of `what`: negative when it decides otherwise.
double margin_for(const Decision& d, const std::vector<double>& y, std::size_t what) {
  if (d.kind == Decision::Kind::above) {
    const double x = y[static_cast<std::size_t>(d.first)] -
                     (d.second < 0 ? 0 : y[static_cast<std::size_t>(d.second)]);
    return what ? x - d.threshold : d.threshold - x;
  }
  double other = -INFINITY;
  for (std::size_t i = 0; i < y.size(); ++i)
    if (i != what) other = std::max(other, y[i]);
  return y[what] - other;
}

std::string word(const Decision& d, std::size_t what) {
  if (d.kind == Decision::Kind::top1) return std::to_string(what);
  return what ? "above" : "not above";
}

void add(const Decision& d, std::size_t sample, const std::vector<double>& expected,
         const std::vector<double>& y, double step, DecisionDrift& drift) {
  const Decided reference = decided(d, expected), device = decided(d, y);
  const double shift = margin_for(d, y, reference.what) - reference.margin;
  ++drift.samples;
  drift.mean_shift += shift;
  drift.worst_shift = std::min(drift.worst_shift, shift);
  drift.weaker += shift < 0;
  drift.stronger += shift > 0;
  if (device.what != reference.what)
    drift.flips.push_back({sample, reference.margin, step > 0 ? reference.margin / step : 0,
                           word(d, reference.what), word(d, device.what)});
}

}  // namespace

Result<Decision> parse_decision(const std::string& text) {
  Decision d;
  if (text == "top1") return d;
  d.kind = Decision::Kind::above;
  std::string_view rest = text;
  bool good = take_index(rest, d.first);
  if (good && !rest.empty() && rest[0] == '-') {
    rest.remove_prefix(1);
    good = take_index(rest, d.second);
  }
  if (good && take_threshold(rest, d.threshold)) return d;
  return Error{"--decision " + text, "not a decision",
               "top1, I>T or I-J>T with elements I, J of the first output and a real T",
               "for instance --decision '1-0>0.5'"};
}

Result<DecisionReport> decide(const Decision& d, const Answer& answer, const Graph& model,
                              const std::string& name) {
  const Graph& g = answer.reference->graph();
  const Value& output = g.value(g.outputs()[0]);
  const std::int64_t count = count_of(output.shape);
  if (count < (d.kind == Decision::Kind::top1 ? 2 : 1) || d.first >= count || d.second >= count)
    return Error{"--decision", fmt::format("output '{}' has {} elements", output.name, count),
                 "elements that it has", ""};
  const QuantParams q = step_of(g, g.outputs()[0]);
  DecisionReport r;
  r.output = output.name;
  r.step = q.quantized() ? q.scale[0] : 0;
  r.device.name = name;
  r.least_margin = INFINITY;
  const std::string wanted[] = {output.name};
  std::vector<std::vector<double>> expected;
  for (std::size_t s = 0; s < answer.expected.size(); ++s) {
    const auto e = answer.expected[s].find(output.name), o = answer.observed[s].find(output.name);
    if (e == answer.expected[s].end() || o == answer.observed[s].end() ||
        o->second.count() != count)
      return Error{"--decision", "output '" + output.name + "' was not captured",
                   "it in every sample", ""};
    expected.push_back(reals_of(e->second, q));
    r.least_margin = std::min(r.least_margin, decided(d, expected.back()).margin);
    add(d, s, expected.back(),
        reals_of(o->second, is_integer(o->second.dtype()) ? q : QuantParams{}), r.step, r.device);
  }
  const bool fed = !answer.sent.empty() && !answer.sent[0].empty();
  if (fed)
    for (const Executor& other : other_arithmetics(model, answer.reference->arithmetic())) {
      if (other.arithmetic().name == "float" || other.graph().find_value(output.name) == no_id)
        continue;
      const auto made = other.run(answer.sent, wanted);
      if (!made.ok()) continue;
      DecisionDrift& drift = r.arithmetics.emplace_back();
      drift.name = other.arithmetic().name;
      for (std::size_t s = 0; s < made->samples.size(); ++s)
        add(d, s, expected[s],
            reals_of(made->samples[s].at(output.name),
                     step_of(other.graph(), other.graph().outputs()[0])),
            r.step, drift);
    }
  double low = 0, high = 0;
  for (DecisionDrift* drift : {&r.device})
    drift->mean_shift /= static_cast<double>(std::max<std::int64_t>(1, drift->samples));
  for (DecisionDrift& drift : r.arithmetics) {
    drift.mean_shift /= static_cast<double>(std::max<std::int64_t>(1, drift.samples));
    low = std::min(low, drift.mean_shift);
    high = std::max(high, drift.mean_shift);
  }
  const double slack = 0.1 * r.step;
  r.outside = r.device.mean_shift < low - slack || r.device.mean_shift > high + slack;
  for (const std::vector<double>& y : expected)
    r.inside += decided(d, y).margin <= -r.device.worst_shift;
  return r;
}

}  // namespace lockstep
