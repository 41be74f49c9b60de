// y0, y1, ... = the parts of x along an axis, of the given extents or of equal ones
#include <utility>

#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"split", Slot::optional}};
constexpr Slot outputs[] = {{"y", Slot::variadic}};
constexpr AttrSpec attrs[] = {
    {"axis", "0", "-rank .. rank-1"},
    {"split", "equal parts", "extents when they are no input; one may be -1: what is left"},
    {"num_outputs", "", "given: parts of equal extent, the last one smaller where they cannot be"},
};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<1>},
    {codes_rule, first_keeps_codes},
};

Result<Shape> given_parts(const NodeView& n, Shape parts, std::int64_t extent) {
  const Shape asked = parts;
  std::int64_t rest = extent, free = -1;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == -1 && free < 0)
      free = static_cast<std::int64_t>(i);
    else if (parts[i] < 0 || parts[i] > rest)
      return Error{n.where(), "split " + shape_text(asked),
                   "extents that make " + std::to_string(extent), ""};
    else
      rest -= parts[i];
  }
  if (free >= 0) parts[static_cast<std::size_t>(free)] = std::exchange(rest, 0);
  if (rest != 0 || parts.size() != n.node.outputs.size())
    return Error{
        n.where(), "split " + shape_text(asked),
        std::to_string(n.node.outputs.size()) + " extents that make " + std::to_string(extent), ""};
  return parts;
}

Result<Shape> parts_of(const NodeView& n, std::int64_t extent) {
  const auto count = static_cast<std::int64_t>(n.node.outputs.size());
  if (auto asked = integers_at(n, 1, "split")) return given_parts(n, std::move(*asked), extent);
  const std::int64_t part = (extent + count - 1) / count;
  const std::int64_t last = extent - part * (count - 1);
  if (n.attrs().integer("num_outputs", count) != count || last < 0 ||
      (last != part && !n.attrs().has("num_outputs")))
    return Error{n.where(), std::to_string(count) + " parts of extent " + std::to_string(extent),
                 "equal parts, or 'num_outputs' as many as outputs", ""};
  Shape parts(static_cast<std::size_t>(count), part);
  parts.back() = last;
  return parts;
}

// Where each output's elements stand in x.
Result<std::vector<Sources>> sources_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  if (n.node.outputs.empty()) return Error{n.where(), "no outputs", "one or more", ""};
  LOCKSTEP_TRY(const std::size_t axis, normal_axis(n, n.attrs().integer("axis", 0), x.size()));
  LOCKSTEP_TRY(const Shape parts, parts_of(n, x[axis]));
  std::vector<Sources> sources;
  std::int64_t start = 0;
  for (const std::int64_t part : parts) {
    sources.push_back(all_of(x));
    sources.back()[axis] = index_run(start, part);
    start += part;
  }
  return sources;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const auto sources, sources_of(n));
  const Value& x = n.input(0);
  std::vector<Facts> facts;
  for (const Sources& part : sources)
    facts.push_back({x.dtype, shape_of_sources(part), quant_of_sources(x.quant, part)});
  return facts;
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const auto sources, sources_of(c.view));
  for (std::size_t i = 0; i < sources.size(); ++i)
    if (c.view.node.outputs[i] != no_id) copy_from_sources(*c.in[0], sources[i], c.out[i]);
  return {};
}

Result<void> add_split(const ForeignNode& foreign, GraphBuilder& graph, std::size_t axis_input,
                       std::vector<ValueId> in) {
  Attrs canonical;
  LOCKSTEP_TRY(const Tensor* axis, constant_of(foreign, graph, axis_input, "axis"));
  canonical.set("axis", axis->code(0));
  return add_like(foreign, graph, "Split", std::move(in), std::move(canonical));
}

Result<void> from_split(const ForeignNode& f, GraphBuilder& graph) {
  return f.inputs.size() == 2 ? add_split(f, graph, 0, {f.inputs[1]})
                              : Error{f.where, "other inputs", "axis and x", ""};
}

Result<void> from_split_v(const ForeignNode& f, GraphBuilder& graph) {
  return f.inputs.size() == 3 ? add_split(f, graph, 2, {f.inputs[0], f.inputs[1]})
                              : Error{f.where, "other inputs", "x, extents and axis", ""};
}

constexpr Foreign from[] = {{Format::onnx, "Split"},
                            {Format::tflite, "SPLIT", from_split},
                            {Format::tflite, "SPLIT_V", from_split_v}};

}  // namespace

extern constinit const OpDef op_split = {
    .name = "Split",
    .meaning = "y0, y1, ... = the parts of x along an axis, of the given extents or of equal ones",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
