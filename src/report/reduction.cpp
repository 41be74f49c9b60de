#include "report/reduction.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "report/fold.h"
#include "report/report.h"

namespace lockstep {
namespace {

const Explanation* cause_of(const Answer& a) {
  return a.verdict.suspects.empty() ? nullptr : a.verdict.suspects[0].cause();
}

std::string quantized(const QuantParams& q) {
  if (!q.quantized()) return "";
  if (q.per_channel()) return fmt::format(", {} scales along axis {}", q.scale.size(), q.axis);
  return fmt::format(", scale {:.9g}, zero point {}", q.scale[0], q.zero_at(0));
}

std::string tensor_line(const std::string& role, const std::string& name, const Tensor& t,
                        const QuantParams& q) {
  return fmt::format("| {} | `{}` | {}{}{} |\n", role, name, name_of(t.dtype()),
                     shape_text(t.shape()), quantized(q));
}

std::string value_text(const Tensor& t, std::int64_t i) {
  return is_float(t.dtype()) ? fmt::format("{:.7g}", t.number(i)) : std::to_string(t.code(i));
}

// The first wrong values, with what the operation read at the same place where shapes are equal.
std::string values_table(const ReducedCase& r) {
  std::vector<std::string> beside;
  for (const std::string& name : r.inputs)
    if (r.input.at(name).shape() == r.expected.shape()) beside.push_back(name);
  std::string text = "| element |";
  for (const std::string& name : beside) text += " `" + name + "` |";
  text += " right | device |\n| --- |";
  for (std::size_t i = 0; i < beside.size() + 2; ++i) text += " --- |";
  text += "\n";
  int shown = 0;
  for (std::int64_t i = 0; i < r.expected.count() && shown < 12; ++i) {
    if (value_text(r.expected, i) == value_text(r.device, i)) continue;
    ++shown;
    text += fmt::format("| {} |", i);
    for (const std::string& name : beside) text += " " + value_text(r.input.at(name), i) + " |";
    text += fmt::format(" {} | {} |\n", value_text(r.expected, i), value_text(r.device, i));
  }
  return text;
}

std::string cause_text(const Answer& a) {
  const Explanation* e = cause_of(a);
  if (!e) return "unexplained: no fault that Lockstep knows reproduces these numbers";
  const WrongPlace place = first_wrong_place(a.verdict, a.reference->graph());
  const bool says_where = place.among > 1 && !place.by_cause && !e->site.empty();
  std::string text = fmt::format("{}{}: {}; reproduces {} of {} differing values, {} spoiled",
                                 e->fault->name, says_where ? " at " + e->site : "", e->claim,
                                 e->reproduced, e->differing, e->spoiled);
  if (!e->ties.empty()) text += fmt::format("; {} other explanations do as well", e->ties.size());
  return text;
}

// The operation, or how many it may be where tensors between were not captured.
std::string operation_of_answer(const Answer& a) {
  const Graph& g = a.reference->graph();
  const WrongPlace place = first_wrong_place(a.verdict, g);
  if (place.node == no_id) return a.verdict.comparison.rows[a.verdict.suspects[0].row].name;
  const std::string name = g.node(place.node).name + " (" + g.node(place.node).op + ")";
  return place.among > 1 && !place.by_cause
             ? fmt::format("one of {} operations up to {}", place.among, name)
             : name;
}

}  // namespace

std::string page_of_reduction(const Request& request, const Answer& answer, const ReducedCase& r,
                              const Answer& confirmed) {
  const Arithmetic& a = answer.reference->arithmetic();
  std::string page =
      fmt::format("# Other numbers than the reference: {}\n\n", operation_of_answer(answer));
  page += fmt::format("Cut from `{}`, target `{}`. Reference: {} ({}{}{}).\n\n",
                      std::filesystem::path(request.model).filename().string(), request.target,
                      a.name, a.runtime, a.version.empty() ? "" : " ", a.version);
  page += "| | tensor | |\n| --- | --- | --- |\n";
  for (const std::string& name : r.inputs) {
    const ValueId id = answer.reference->graph().find_value(name);
    page += tensor_line("input", name, r.input.at(name),
                        id == no_id ? QuantParams{} : answer.reference->graph().value(id).quant);
  }
  page += tensor_line("output", r.output, r.expected, r.quant);
  page += fmt::format("\n{} of the output's {} values are wrong. The first of them:\n\n",
                      grouped(r.differing), grouped(r.expected.count()));
  page += values_table(r);
  page += "\nCause, on these files alone: " + cause_text(confirmed) + ".\n";
  page += "In the whole model: " + cause_text(answer) + ".\n\n";
  page +=
      "How it was made smaller; after each step the model was run again and yields the same "
      "numbers:\n\n";
  for (const std::string& step : r.steps) page += "- " + step + "\n";
  page += "\nReplay:\n\n```\nlockstep diagnose " + r.file +
          " --target device.npz --input input.npz --reference " + std::string(a.name) + "\n```\n\n";
  page +=
      "`input.npz` is what the operation read on the device, `device.npz` the same and what it "
      "answered. On a device:\n"
      "feed `input.npz` to `" +
      r.file +
      "`, compiled alone; equal numbers there mean that the operation is right and what\n"
      "surrounds it in the whole network (memory, order, another buffer) is not.\n";
  return page;
}

std::string text_of_reduction(const Request& request, const Answer& answer, const ReducedCase& r,
                              const Answer& confirmed, const std::string& folder) {
  std::string text;
  const auto field = [&](std::string_view name, const std::string& t) {
    text += fmt::format("{:<14}{}\n", name, t);
  };
  field("model", fmt::format("{}, target {}", request.model, request.target));
  field("first wrong", operation_of_answer(answer));
  for (std::size_t i = 0; i < r.steps.size(); ++i) field(i ? "" : "reduced", r.steps[i]);
  std::int64_t in = 0;
  for (const auto& [name, tensor] : r.input) in += tensor.count();
  field("left",
        fmt::format("{} nodes of {}, {} bytes; {} input values; {} of {} output values wrong",
                    r.nodes, r.nodes_before, grouped(static_cast<std::int64_t>(r.model.size())),
                    grouped(in), grouped(r.differing), grouped(r.expected.count())));
  field("cause", cause_text(confirmed));
  field("wrote", fmt::format("{}: {}, input.npz, device.npz, README.md", folder, r.file));
  field("replay",
        fmt::format(
            "cd {} && lockstep diagnose {} --target device.npz --input input.npz --reference {}",
            folder, r.file, answer.reference->arithmetic().name));
  return text;
}

}  // namespace lockstep
