#include "diagnose/gate.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace lockstep {
namespace {

// Never more than it is.
std::string figure(double cosine) {
  return fmt::format("{:.5f}", std::floor(cosine * 1e5 + 1e-9) / 1e5);
}

// An output, or the codes that one is dequantized from.
bool is_output(const Graph& g, const Row& row, ValueId output) {
  const NodeId maker = g.value(output).producer;
  return output == row.value || (maker != no_id && g.node(maker).op == "DequantizeLinear" &&
                                 g.node(maker).inputs[0] == row.value);
}

bool is_output(const Graph& g, const Row& row) {
  return std::ranges::any_of(g.outputs(), [&](ValueId id) { return is_output(g, row, id); });
}

double cosine_of(const Row& row) {
  return row.whole.not_finite ? 0 : row.whole.cosine;
}

}  // namespace

Result<void> judge_gate(const Graph& g, const Tolerance& tolerance, Verdict& v) {
  const Row* worst = nullptr;
  for (const Row& row : v.comparison.rows)
    if (is_output(g, row) && row.whole.count && (!worst || cosine_of(row) < cosine_of(*worst)))
      worst = &row;
  const auto missing = std::ranges::find_if(g.outputs(), [&](ValueId id) {
    return std::ranges::none_of(v.comparison.rows, [&](const Row& row) {
      return row.whole.count && is_output(g, row, id);
    });
  });
  if (worst && missing != g.outputs().end())
    return Error{"--tolerance cosine",
                 "output '" + g.value(*missing).name + "' is not among what was compared",
                 "captures that hold every output", ""};
  if (!worst)
    return Error{"--tolerance cosine", "no output of the network is among what was compared",
                 "captures that hold one", ""};
  v.healthy = cosine_of(*worst) >= tolerance.cosine;
  v.summary = fmt::format("{}: cosine {} at '{}' ({} {} asked by --tolerance)",
                          v.healthy ? "healthy, the gate is met" : "the gate is missed",
                          figure(cosine_of(*worst)), worst->tensor,
                          v.healthy ? "at least" : "less than the", figure(tolerance.cosine));
  for (Row& row : v.comparison.rows)
    row.state = Judgement::unknown, row.inherited = row.in_spread = false, row.structure = {},
    row.like.clear();
  if (v.healthy) return {};
  double before = 1, fall = 0;
  const Row* steepest = nullptr;
  for (const Row& row : v.comparison.rows) {
    if (before - cosine_of(row) > fall) fall = before - cosine_of(row), steepest = &row;
    before = cosine_of(row);
  }
  if (steepest)
    v.notes.push_back(fmt::format("it falls most at '{}': cosine {} there", steepest->tensor,
                                  figure(cosine_of(*steepest))));
  v.advice.push_back(
      "against a float model: calibrate with real samples of the loudness and the kinds that will "
      "come, near-silent ones left out");
  v.advice.push_back(
      "then: another scale of magnitudes (square root, decibels) before the network; more bits, or "
      "reals, at that operation");
  v.advice.push_back("against a device: ask without --tolerance which operation is wrong, and why");
  return {};
}

}  // namespace lockstep
