// y[..., i, ...] = x[..., start + i * step, ...] up to before end, on each axis given
#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"},
                           {"starts", Slot::optional},
                           {"ends", Slot::optional},
                           {"axes", Slot::optional},
                           {"steps", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"starts", "", "when they are no input; negative counts from the end"},
    {"ends", "", "when they are no input; beyond the axis means its end"},
    {"axes", "0, 1, ...", "when they are no input"},
    {"sizes", "0", "1: `ends` are sizes, -1 to the end of the axis"},
};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<1, 2, 3, 4>},
    {codes_rule, first_keeps_codes},
};

// A slice by size must lie inside the axis.
Result<std::vector<std::int64_t>> run_of_size(const NodeView& n, std::int64_t start,
                                              std::int64_t size, std::int64_t extent) {
  if (size == -1) size = extent - start;
  if (start < 0 || size < 0 || start > extent || size > extent - start)
    return Error{n.where(), std::to_string(size) + " from " + std::to_string(start),
                 "a part of extent " + std::to_string(extent), ""};
  return index_run(start, size);
}

Result<Sources> sources_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  const auto starts = integers_at(n, 1, "starts"), ends = integers_at(n, 2, "ends");
  if (!starts || !ends || starts->size() != ends->size())
    return Error{n.where(), "no starts and ends that belong together", "as many starts as ends",
                 ""};
  const auto asked =
      integers_at(n, 3, "axes").value_or(index_run(0, static_cast<std::int64_t>(starts->size())));
  const auto steps = integers_at(n, 4, "steps").value_or(Shape(starts->size(), 1));
  if (asked.size() != starts->size() || steps.size() != starts->size())
    return Error{
        n.where(),
        std::to_string(asked.size()) + " axes and " + std::to_string(steps.size()) + " steps",
        std::to_string(starts->size()) + " of each, as there are starts", ""};
  LOCKSTEP_TRY(const auto axes, normal_axes(n, asked, x.size()));
  Sources sources = all_of(x);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (steps[i] == 0) return Error{n.where(), "step 0", "a step other than 0", ""};
    const std::int64_t extent = x[axes[i]];
    if (n.attrs().integer("sizes", 0) != 0) {
      LOCKSTEP_TRY(sources[axes[i]], run_of_size(n, (*starts)[i], (*ends)[i], extent));
    } else {
      sources[axes[i]] = slice_run((*starts)[i], (*ends)[i], steps[i], extent, 0);
    }
  }
  return sources;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Sources sources, sources_of(n));
  const Value& x = n.input(0);
  return std::vector<Facts>{
      {x.dtype, shape_of_sources(sources), quant_of_sources(x.quant, sources)}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Sources sources, sources_of(c.view));
  copy_from_sources(*c.in[0], sources, c.out[0]);
  return {};
}

Result<void> from_tflite(const ForeignNode& foreign, GraphBuilder& graph) {
  Attrs canonical;
  canonical.set("sizes", std::int64_t{1});
  return add_like(foreign, graph, "Slice", foreign.inputs, std::move(canonical));
}

constexpr Foreign from[] = {{Format::onnx, "Slice"}, {Format::tflite, "SLICE", from_tflite}};

}  // namespace

extern constinit const OpDef op_slice = {
    .name = "Slice",
    .meaning =
        "y[..., i, ...] = x[..., start + i * step, ...] up to before end, on each axis given",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
