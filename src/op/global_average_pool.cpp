// y[n,c] = mean of x[n,c,p] over all positions p; on codes averaged and requantized.
#include "op/op_codes.h"
#include "op/op_foreign.h"
#include "op/op_marks.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"layout", "NCHW", "NCHW or NHWC, with any number of spatial axes"},
    {"kernel", "", "\"blocked\": the runtime sums straight through the plane (N45)"},
    codes_mark,
    makes_mark,
};
constexpr Rule rules[] = {{"x has batch and channels, and is not empty", [](const NodeView& n) {
                             return n.input(0).shape.size() >= 2 && count_of(n.input(0).shape) > 0;
                           }}};

struct Planes {
  std::int64_t batch, channels, positions;
  bool channels_last;
  std::int64_t at(std::int64_t n, std::int64_t c, std::int64_t p) const {
    return channels_last ? (n * positions + p) * channels + c : (n * channels + c) * positions + p;
  }
};

Planes planes_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  const bool last = n.attrs().text("layout", "NCHW") == "NHWC";
  const std::int64_t channels = last ? x.back() : x[1];
  return {x[0], channels, count_of(x) / x[0] / channels, last};
}

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {}));
  Attrs a;
  a.set("layout", "NCHW");
  return add_like(f, graph, "GlobalAveragePool", f.inputs, std::move(a));
}

// com.microsoft: x, its scale and zero point, y's scale and zero point.
Result<void> from_qlinear(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"channels_last"}));
  if (!has_input(f, 0) || !has_input(f, 1) || !has_input(f, 3) || f.outputs.empty())
    return Error{f.where, std::to_string(f.inputs.size()) + " inputs",
                 "x, its scale and zero point, y's scale and zero point", ""};
  LOCKSTEP_CHECK(set_quant(f, graph, f.inputs[0], 1, 2));
  LOCKSTEP_CHECK(set_quant(f, graph, f.outputs[0], 3, 4));
  Attrs a;
  a.set("layout", f.attrs.integer("channels_last", 0) != 0 ? "NHWC" : "NCHW");
  return add_like(f, graph, "GlobalAveragePool", {f.inputs[0]}, std::move(a));
}

constexpr Foreign from[] = {{Format::onnx, "GlobalAveragePool", from_onnx},
                            {Format::onnx, "com.microsoft:QLinearGlobalAveragePool", from_qlinear}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  Shape y = n.input(0).shape;
  const bool last = n.attrs().text("layout", "NCHW") == "NHWC";
  for (std::size_t d = last ? 1 : 2; d < y.size() - (last ? 1 : 0); ++d) y[d] = 1;
  return std::vector<Facts>{{code_type(n), y, {}}};
}

Result<void> eval_codes(EvalContext& c, const Planes& p) {
  if (!c.num.global_average || !is_code(c.view.output(0)))
    return no_policy(c.view, "GlobalAveragePool");
  const Value &xv = c.view.input(0), &yv = c.view.output(0);
  const CodeClamp clamp = clamp_of(c.view);
  const AverageScales s{xv.quant.scale_at(0),
                        yv.quant.scale_at(0),
                        xv.quant.zero_at(0),
                        yv.quant.zero_at(0),
                        clamp.low,
                        clamp.high};
  const auto x = centred_codes(*c.in[0], 0);
  for (std::int64_t n = 0; n < p.batch; ++n)
    for (std::int64_t ch = 0; ch < p.channels; ++ch) {
      std::int32_t sum = 0;
      for (std::int64_t i = 0; i < p.positions; ++i)
        sum += x[static_cast<std::size_t>(p.at(n, ch, i))];
      store_code(c.out[0], n * p.channels + ch,
                 c.num.global_average->apply(sum, static_cast<std::int32_t>(p.positions), s));
    }
  return {};
}

// N45: one float32 sum for each plane, in order, then a division.
void eval_straight(EvalContext& c, const Planes& p) {
  const auto x = c.in[0]->as<float>();
  const auto y = c.out[0].as<float>();
  for (std::size_t plane = 0; plane < y.size(); ++plane) {
    const auto in = x.subspan(plane * static_cast<std::size_t>(p.positions),
                              static_cast<std::size_t>(p.positions));
    float sum = 0;
    for (const float v : in) sum += v;
    y[plane] = sum / static_cast<float>(p.positions);
  }
}

Result<void> eval(EvalContext& c) {
  const Planes p = planes_of(c.view);
  if (is_code(c.view.input(0))) return eval_codes(c, p);
  const Tensor& x = *c.in[0];
  if (x.dtype() == DType::f32 && !p.channels_last && c.view.attrs().text("kernel", "") == "blocked")
    return eval_straight(c, p), Result<void>();
  if (x.dtype() == DType::f32 && c.num.real.plane_mean && !p.channels_last) {
    c.num.real.plane_mean(x.as<float>().data(), p.batch * p.channels, p.positions,
                          c.out[0].as<float>().data());
    return {};
  }
  if (x.dtype() != DType::f32 && x.dtype() != DType::f64)
    return Error{c.view.where(), "x of type " + std::string(name_of(x.dtype())),
                 "float32, float64 or codes", ""};
  for (std::int64_t n = 0; n < p.batch; ++n)
    for (std::int64_t ch = 0; ch < p.channels; ++ch) {
      double sum = 0;
      for (std::int64_t i = 0; i < p.positions; ++i) sum += x.number(p.at(n, ch, i));
      c.out[0].set_number(n * p.channels + ch, sum / static_cast<double>(p.positions));
    }
  return {};
}

}  // namespace

extern constinit const OpDef op_global_average_pool = {
    .name = "GlobalAveragePool",
    .meaning = "y[n,c] = mean of x[n,c,p] over all positions p",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
