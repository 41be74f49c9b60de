#include "fault/fault_describe.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "fault/fault_input.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

double place_bits(const Site& site) {
  const Graph& g = site.graph();
  const ValueId id = site.node == no_id ? site.input : g.node(site.node).outputs[0];
  if (id == no_id) return 16;
  return std::log2(1.0 + static_cast<double>(count_of(g.value(id).shape)));
}

// Whole numbers by Elias' gamma code and a sign; others by their shortest decimal.
double number_bits(double v) {
  if (v == std::nearbyint(v) && std::fabs(v) < 1e12)
    return 2 + 2 * std::floor(std::log2(1 + std::fabs(v)));
  const double power = std::log2(std::fabs(v));
  if (power == std::nearbyint(power)) return 3 + 2 * std::floor(std::log2(1 + std::fabs(power)));
  for (int digits = 1; digits < 9; ++digits) {
    char text[40];
    std::snprintf(text, sizeof text, "%.*g", digits, v);
    if (std::strtod(text, nullptr) == v) return 4 + 3.33 * digits;
  }
  return 32;
}

// The stretches named run by run. Those of the first run alone, and that it is so for all, where
// all name the same.
struct Stated {
  Params stretches;
  bool for_all = false;
};
Stated stated_stretches(const Params& params) {
  std::map<std::string, Params> by_run;
  for (const auto& [name, value] : params) {
    if (!name.ends_with(".first") && !name.ends_with(".count")) continue;
    const std::size_t dot = name.find('.');
    by_run[name.substr(0, dot)][name.substr(dot)] = value;
  }
  Stated stated;
  stated.for_all = by_run.size() > 1 && std::ranges::all_of(by_run, [&](const auto& run) {
                     return run.second == by_run.begin()->second;
                   });
  for (const auto& [run, stretches] : by_run) {
    for (const auto& [name, value] : stretches) stated.stretches[run + name] = value;
    if (stated.for_all) break;
  }
  return stated;
}

// Stretches of whole cache lines are stated by a bit for each line and run where that is shorter.
double stretch_bits(const Site& site, const Params& params) {
  constexpr double line = 32, map = 24;  // that it is a map, and of what
  constexpr double all_runs = 12;        // that all runs name the same
  const Stated stated = stated_stretches(params);
  double bits = 0, runs = 0;
  bool lines = true;
  for (const auto& [name, value] : stated.stretches) {
    bits += place_bits(site);
    runs += name.ends_with(".0.first");
    lines = lines && (name.ends_with(".count") || std::fmod(value, line) == 0);
  }
  if (stated.for_all) bits += all_runs;
  if (bits == 0 || !lines) return bits;
  const Graph& g = site.graph();
  const ValueId id = site.node == no_id ? site.input : g.node(site.node).outputs[0];
  if (id == no_id) return bits;
  const double bytes = static_cast<double>(count_of(g.value(id).shape)) *
                       static_cast<double>(size_of(g.value(id).dtype));
  return std::min(bits, map + (stated.for_all ? all_runs : 0) + runs * std::ceil(bytes / line));
}

// Which of the output's channels have a factor of 0 ("c7.k"): channels that are not there at all
// are said more plainly by where they begin.
double channel_bits(const Site& site, const Params& params) {
  double named = 0;
  for (const auto& [name, value] : params)
    named += name.size() > 3 && name[0] == 'c' && name[1] >= '0' && name[1] <= '9' &&
             name.ends_with(".k") && value == 0;
  if (named == 0 || site.node == no_id) return 0;
  const NodeView n = site.view();
  const Shape& shape = n.output(0).shape;
  const double all = shape.empty() ? 1 : static_cast<double>(shape[channel_axis(n, shape)]);
  if (named >= all) return 0;
  return (std::lgamma(all + 1) - std::lgamma(named + 1) - std::lgamma(all - named + 1)) /
         std::log(2.0);
}

// How widely the fault applies: the share of the graph's nodes.
double generality(const Site& site, const FaultDef& fault) {
  if (fault.stage == Stage::input) return 0;
  const auto nodes = site.graph().nodes().size();
  std::size_t applicable = 0;
  for (std::size_t n = 0; n < nodes; ++n)
    applicable += fault.applies({site.reference, static_cast<NodeId>(n), no_id});
  return nodes == 0 ? 0 : static_cast<double>(applicable) / static_cast<double>(nodes);
}

// A scale or a zero point that the place has anyway needs no digits.
bool is_own(const Site& site, const std::string& name, double value) {
  if (name != "scale" && name != "zero") return false;
  const auto coding = site.node == no_id ? input_coding(site) : std::nullopt;
  if (!coding) return false;
  return value == (name == "scale" ? coding->scale : static_cast<double>(coding->zero));
}

}  // namespace

bool lists_places(const Params& params) {
  return std::ranges::any_of(params, [](const auto& p) { return p.first.ends_with(".first"); });
}

double description_bits(const Site& site, const FaultDef& fault, const Params& params) {
  double bits = std::log2(static_cast<double>(fault_table().size())) + generality(site, fault);
  for (const auto& [name, value] : params) {
    if (name.ends_with(".first") || name.ends_with(".count")) continue;
    if (value == param(fault, {}, name))
      bits += 0.5;
    else if (is_own(site, name, value))
      bits += 1;
    else if (name == "other")
      bits += std::log2(1.0 + static_cast<double>(site.graph().values().size()));
    else
      bits += number_bits(value) +
              (name.find('.') != std::string::npos ? 1 : 0);  // of a channel: which are named
  }
  return bits + stretch_bits(site, params) + channel_bits(site, params);
}

}  // namespace lockstep
