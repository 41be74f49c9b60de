// y = x - ln(sum of e^x along the axis).
#include <algorithm>
#include <cmath>

#include "num/real_functions.h"
#include "op/op_codes.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"axis", "-1", "axis along which e^y sums to 1"},
    {"flatten", "0", "1: that axis and all behind it are one row"},
};
constexpr Rule rules[] = {{"x is float32 or holds codes", [](const NodeView& n) {
                             return n.input(0).dtype == DType::f32 || is_code(n.input(0));
                           }}};

// Before opset 13 the axis defaulted to 1 and everything behind it was one row.
Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"axis"}));
  Attrs a;
  a.set("axis", f.attrs.integer("axis", f.version < 13 ? 1 : -1));
  if (f.version < 13) a.set("flatten", std::int64_t{1});
  return add_like(f, graph, "LogSoftmax", f.inputs, std::move(a));
}

constexpr Foreign from[] = {{Format::onnx, "LogSoftmax", from_onnx},
                            {Format::tflite, "LOG_SOFTMAX"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY([[maybe_unused]] const std::size_t axis,
               normal_axis(n, n.attrs().integer("axis", -1), n.input(0).shape.size()));
  return std::vector<Facts>{{code_type(n), n.input(0).shape, {}}};
}

// Rows along the last axis (N73).
Result<void> eval_codes(EvalContext& c) {
  const Shape& shape = c.in[0]->shape();
  if (!c.num.log_softmax || !is_code(c.view.output(0)) || shape.empty() ||
      c.view.attrs().integer("axis", -1) != -1)
    return no_policy(c.view, "LogSoftmax");
  const Value &xv = c.view.input(0), &yv = c.view.output(0);
  const CodeRange range = code_range(yv.dtype);
  const SoftmaxScales s{xv.quant.scale_at(0),
                        yv.quant.scale_at(0),
                        1,
                        yv.quant.zero_at(0),
                        static_cast<std::int32_t>(range.low),
                        static_cast<std::int32_t>(range.high),
                        static_cast<std::int32_t>(code_range(xv.dtype).low)};
  const auto depth = static_cast<std::size_t>(shape.back());
  const auto x = centred_codes(*c.in[0], 0);
  std::vector<std::int32_t> out(depth);
  for (std::size_t first = 0; depth > 0 && first + depth <= x.size(); first += depth) {
    c.num.log_softmax->apply(std::span(x).subspan(first, depth), out, s);
    for (std::size_t k = 0; k < depth; ++k)
      store_code(c.out[0], static_cast<std::int64_t>(first + k), out[k]);
  }
  return {};
}

Result<void> eval(EvalContext& c) {
  if (is_code(c.view.input(0))) return eval_codes(c);
  const Shape& shape = c.in[0]->shape();
  LOCKSTEP_TRY(const std::size_t axis,
               normal_axis(c.view, c.view.attrs().integer("axis", -1), shape.size()));
  const auto x = c.in[0]->as<float>();
  const auto y = c.out[0].as<float>();
  const std::int64_t behind =
      count_of(Shape(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end()));
  const bool flat = c.view.attrs().integer("flatten", 0) != 0;
  const auto length = static_cast<std::size_t>(flat ? shape[axis] * behind : shape[axis]);
  const auto step = static_cast<std::size_t>(flat ? 1 : behind);
  if (x.empty()) return {};
  const RealFunctions* const own = c.num.real.functions;
  std::vector<float> in(length), out(length);
  for (std::size_t row = 0; own && own->log_softmax && row < x.size() / length; ++row) {
    const std::size_t first = row / step * step * length + row % step;
    for (std::size_t i = 0; i < length; ++i) in[i] = x[first + i * step];
    own->log_softmax(in, out);
    for (std::size_t i = 0; i < length; ++i) y[first + i * step] = out[i];
  }
  if (own && own->log_softmax) return {};
  for (std::size_t row = 0; row < x.size() / length; ++row) {
    const std::size_t first = row / step * step * length + row % step;
    double greatest = x[first], sum = 0;
    for (std::size_t i = 1; i < length; ++i)
      greatest = std::max<double>(greatest, x[first + i * step]);
    for (std::size_t i = 0; i < length; ++i) sum += std::exp(x[first + i * step] - greatest);
    for (std::size_t i = 0; i < length; ++i)
      y[first + i * step] = static_cast<float>(x[first + i * step] - greatest - std::log(sum));
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_log_softmax = {
    .name = "LogSoftmax",
    .meaning = "y = x - ln(sum of e^x along the axis)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
