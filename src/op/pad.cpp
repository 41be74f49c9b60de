// y[i] = x[i - begin] on each axis; outside of x what the mode says: a constant, the nearest
// element (edge), the mirror image without (reflect) or with (symmetric) the edge, or the other end
// (wrap)
#include <algorithm>

#include "base/text.h"
#include "op/op_move.h"
#include "op/op_pad.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {
    {"x"}, {"pads", Slot::optional}, {"value", Slot::optional}, {"axes", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"mode", "constant", "constant, edge, reflect, symmetric, wrap"},
    {"pads", "", "begin of each axis, then end of each, when they are no input; negative cuts"},
    {"pairs", "0", "1: the input `pads` holds begin and end axis by axis"},
    {"value", "0", "the constant when it is no input"},
    {"fill", "value",
     "zero_point: the constant is x's zero point when x is quantized and no value is given"},
};

bool known_mode(const NodeView& n) {
  const std::string mode = n.attrs().text("mode", "constant");
  return mode == "constant" || mode == "edge" || mode == "reflect" || mode == "symmetric" ||
         mode == "wrap";
}

constexpr Rule rules[] = {
    {constant_rule, constants_if_there<1, 3>},
    {"the mode is constant, edge, reflect, symmetric or wrap", known_mode},
    {"the value is one element of x's type",
     [](const NodeView& n) {
       return !n.has_input(2) ||
              (n.input(2).dtype == n.input(0).dtype && count_of(n.input(2).shape) == 1);
     }},
    {codes_rule, first_keeps_codes},
};

// Where index i of a run of n elements comes from when it lies outside.
std::int64_t outside(std::int64_t i, std::int64_t n, std::string_view mode) {
  if (i >= 0 && i < n) return i;
  if (mode == "constant" || n == 0) return no_source;
  if (mode == "edge") return i < 0 ? 0 : n - 1;
  const auto wrap = [&](std::int64_t period) { return (i % period + period) % period; };
  if (mode == "wrap") return wrap(n);
  if (mode == "symmetric") return std::min(wrap(2 * n), 2 * n - 1 - wrap(2 * n));
  return n == 1 ? 0 : std::min(wrap(2 * n - 2), 2 * n - 2 - wrap(2 * n - 2));
}

// Negative ends cut first; the mode then sees what is left.
Result<Sources> sources_of(const NodeView& n) {
  constexpr std::int64_t far = std::int64_t{1} << 40, longest = std::int64_t{1} << 27;
  const Shape& x = n.input(0).shape;
  const std::string mode = n.attrs().text("mode", "constant");
  LOCKSTEP_TRY(const auto ends, pad_ends(n));
  Shape y;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const auto [begin, end] = ends[d];
    if (std::max(begin, end) > far || std::min(begin, end) < -far ||
        x[d] + std::min<std::int64_t>(begin, 0) + std::min<std::int64_t>(end, 0) < 0)
      return Error{n.where(),
                   "pads " + std::to_string(begin) + " and " + std::to_string(end) + " on axis " +
                       std::to_string(d),
                   "at most 2^40, and no more cut than extent " + std::to_string(x[d]), ""};
    y.push_back(x[d] + begin + end);
    if (mode != "constant" && y[d] > 0 &&
        x[d] + std::min<std::int64_t>(begin, 0) + std::min<std::int64_t>(end, 0) == 0)
      return Error{n.where(), "nothing to repeat on axis " + std::to_string(d), "mode constant",
                   ""};
  }
  LOCKSTEP_CHECK(checked_count(y, n.where()));
  if (const auto most = std::ranges::max_element(y); most != y.end() && *most > longest)
    return Error{n.where(), "a padded extent of " + std::to_string(*most), "at most 2^27", ""};
  Sources sources(x.size());
  for (std::size_t d = 0; d < x.size(); ++d) {
    const std::int64_t cut = std::max<std::int64_t>(-ends[d].begin, 0);
    const std::int64_t left = x[d] - cut - std::max<std::int64_t>(-ends[d].end, 0);
    for (std::int64_t i = 0; i < y[d]; ++i) {
      const std::int64_t source = outside(i - std::max<std::int64_t>(ends[d].begin, 0), left, mode);
      sources[d].push_back(source == no_source ? no_source : source + cut);
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
  fill(c.out[0], pad_element(c.view, c.in.size() > 2 ? c.in[2] : nullptr).bytes().data());
  copy_from_sources(*c.in[0], sources, c.out[0]);
  return {};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Attrs canonical;
  canonical.set("pairs", std::int64_t{1});
  canonical.set("fill", std::string("zero_point"));
  if (f.op == "MIRROR_PAD") canonical.set("mode", lower(f.attrs.text("mode", "REFLECT")));
  return add_like(f, graph, "Pad", f.inputs, std::move(canonical));
}

constexpr Foreign from[] = {
    {Format::onnx, "Pad"},
    {Format::tflite, "PAD", from_tflite},
    {Format::tflite, "PADV2", from_tflite},
    {Format::tflite, "MIRROR_PAD", from_tflite},
};

}  // namespace

Result<std::vector<PadEnds>> pad_ends(const NodeView& n) {
  const std::size_t rank = n.input(0).shape.size();
  const auto pads = integers_at(n, 1, "pads");
  const auto asked =
      integers_at(n, 3, "axes").value_or(index_run(0, static_cast<std::int64_t>(rank)));
  LOCKSTEP_TRY(const auto axes, normal_axes(n, asked, rank));
  if (!pads || pads->size() != 2 * axes.size())
    return Error{n.where(), pads ? "pads " + shape_text(*pads) : "no pads",
                 std::to_string(2 * axes.size()) + " of them, two per axis", ""};
  const bool pairs = n.attrs().integer("pairs", 0) != 0;
  std::vector<PadEnds> ends(rank);
  for (std::size_t i = 0; i < axes.size(); ++i)
    ends[axes[i]] = pairs ? PadEnds{(*pads)[2 * i], (*pads)[2 * i + 1]}
                          : PadEnds{(*pads)[i], (*pads)[axes.size() + i]};
  return ends;
}

Tensor pad_element(const NodeView& n, const Tensor* value) {
  if (value) return *value;
  Tensor element(n.input(0).dtype, {});
  const QuantParams& quant = n.input(0).quant;
  if (n.attrs().text("fill", "value") == "zero_point" && quant.quantized())
    element.set_code(0, quant.zero_at(0));
  else
    element.set_number(0, n.attrs().real("value", 0));
  return element;
}

extern constinit const OpDef op_pad = {
    .name = "Pad",
    .meaning = "y[i] = x[i - begin] on each axis; outside of x what the mode says",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
