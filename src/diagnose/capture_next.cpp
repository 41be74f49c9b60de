#include <algorithm>

#include <fmt/format.h>

#include "diagnose/judge.h"

namespace lockstep {
namespace {

// Fewer differing values than this can be met by chance.
constexpr std::int64_t few_values = 12;

bool restates(const Node& n) {
  return n.op == "QuantizeLinear" || n.op == "DequantizeLinear";
}

// A device makes one step of an operation and the quantizers around it.
std::ptrdiff_t operations_in(const Graph& g, const Row& row) {
  return std::ranges::count_if(row.segment, [&](NodeId n) { return !restates(g.node(n)); });
}

// The uncaptured values made inside the segment, codes where there are some: the one that halves
// it, then those that halve its halves.
std::vector<std::string> missing_inside(const Graph& g, const Row& row) {
  std::vector<std::string> codes, all;
  for (const NodeId n : row.segment)
    for (const ValueId v : g.node(n).outputs) {
      if (g.node(n).op == "DequantizeLinear") continue;  // says what its codes say
      if (v == no_id || v == row.value || g.value(v).constant) continue;
      all.push_back(g.value(v).name);
      if (is_integer(g.value(v).dtype) && g.value(v).quant.quantized())
        codes.push_back(g.value(v).name);
    }
  const std::vector<std::string>& from = codes.empty() ? all : codes;
  std::vector<std::string> names;
  for (const std::size_t at : {from.size() / 2, from.size() / 4, from.size() * 3 / 4})
    if (at < from.size() && std::ranges::find(names, from[at]) == names.end())
      names.push_back(from[at]);
  return names;
}

std::string reference_command(const Case& c, const std::vector<std::string>& tensors) {
  std::string command = "lockstep run " + quoted(c.model);
  if (!c.input.empty()) command += " --input " + quoted(c.input);
  command += fmt::format(" --arith {}{}{}", c.reference.arithmetic().name, c.asked,
                         c.input.empty() ? c.generated : "");
  for (const std::string& t : tensors) command += " --tensor " + quoted(t);
  return command + " -o reference.npz";
}

std::string again_command(const Case& c) {
  const std::string_view arithmetic = c.reference.arithmetic().name;
  const bool usual = arithmetic == default_arithmetic(c.reference.graph().format());
  return "lockstep diagnose " + quoted(c.model) + " --target captures.npz" +
         (c.input.empty() ? "" : " --input " + quoted(c.input)) +
         (usual ? "" : fmt::format(" --reference {}", arithmetic)) + c.asked;
}

// Whether the judged operations take what was sent: behind captured tensors other inputs change
// nothing.
bool reads_inputs(const Graph& g, const Row& row) {
  const auto takes = [&](NodeId n) {
    return std::ranges::any_of(g.node(n).inputs,
                               [&](ValueId v) { return std::ranges::count(g.inputs(), v) > 0; });
  };
  return (row.node != no_id && takes(row.node)) || std::ranges::any_of(row.segment, takes);
}

}  // namespace

std::string quoted(const std::string& word) {
  const bool plain =
      !word.empty() && word.find_first_of(" '\"$&|;<>()*?[]#~\\`!{}\t\n") == word.npos;
  if (plain) return word;
  std::string text;
  for (const char c : word) c == '\'' ? text += "'\\''" : text += c;
  return "'" + text + "'";
}

std::vector<std::string> capture_inside(const Case& c, const Row& row) {
  const std::ptrdiff_t operations = operations_in(c.reference.graph(), row);
  const std::vector<std::string> few = missing_inside(c.reference.graph(), row);
  if (few.empty() || operations < 2) return {};
  std::string list;
  for (const std::string& name : few) list += (list.empty() ? "" : ", ") + name;
  return {fmt::format(
              "{} operations lie between captured tensors; record on the device, in one run: {}",
              operations, list),
          "put them into captures.npz under these names, with " + row.tensor +
              ", and: " + again_command(c),
          "what they must hold: " + reference_command(c, few)};
}

std::vector<std::string> capture_next(const Case& c, const Verdict& v) {
  std::vector<std::string> next;
  if (v.suspects.empty()) return next;
  const Graph& g = c.reference.graph();
  const Suspect& first = v.suspects[0];
  const Row& row = v.comparison.rows[first.row];
  const Explanation* cause = first.cause();
  const bool inputs_seen =
      !c.recorded.device.empty() && std::ranges::any_of(g.inputs(), [&](ValueId input) {
        return c.recorded.device[0].contains(g.value(input).name);
      });
  if (!cause && !inputs_seen && reads_inputs(g, row))
    next.push_back("record the input bytes as the device had them when the run began ('" +
                   g.value(g.inputs()[0]).name +
                   "'): other inputs than those given look like this too");
  std::vector<std::string> inside = capture_inside(c, row);
  if (!inside.empty() && (!cause || !cause->certain || !cause->ties.empty())) {
    std::ranges::move(inside, std::back_inserter(next));
    return next;
  }
  if (cause && cause->certain) {
    if (cause->differing < few_values)
      next.push_back(fmt::format(
          "{} differing values carry this claim: more samples, or tensors from inside, make it "
          "firm: {}",
          cause->differing, again_command(c)));
    return next;
  }
  if (v.comparison.samples < 2)
    next.push_back(
        "one sample decides little: record the same tensors for a second, different input: " +
        again_command(c));
  std::vector<std::string> around;
  if (row.node != no_id)
    for (const ValueId in : g.node(row.node).inputs)
      if (in != no_id && !g.value(in).constant) around.push_back(g.value(in).name);
  around.push_back(row.tensor);
  next.push_back(
      "record the operation's inputs and output again, twice with equal inputs: a difference "
      "between the "
      "two runs means memory or timing, none means arithmetic or layout");
  next.push_back("the smallest case to pass on: " + reference_command(c, around));
  return next;
}

}  // namespace lockstep
