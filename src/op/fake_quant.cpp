// y = what of a, a + step, ..., b is nearest to x, [a, b] being [min, max] moved so that 0 is a
// code
#include <algorithm>

#include "num/tflite_fixed.h"
#include "op/op_codes.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"min", "", "least real that a code stands for"},
    {"max", "", "greatest real that a code stands for"},
    {"num_bits", "", "width of the codes, 2 to 16"},
};
constexpr Rule rules[] = {
    {"x is float32", [](const NodeView& n) { return n.input(0).dtype == DType::f32; }},
    {"num_bits is 2 to 16",
     [](const NodeView& n) {
       const std::int64_t bits = n.attrs().integer("num_bits", 0);
       return bits >= 2 && bits <= 16;
     }},
    {"min is below max",
     [](const NodeView& n) { return n.attrs().real("min", 0) < n.attrs().real("max", 0); }},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{{DType::f32, n.input(0).shape, {}}};
}

Result<void> eval(EvalContext& c) {
  const Attrs& a = c.view.attrs();
  const auto least = static_cast<float>(a.real("min", 0)),
             most = static_cast<float>(a.real("max", 0));
  const auto high = static_cast<float>((1 << a.integer("num_bits", 8)) - 1);
  const float step = (most - least) / high;
  const float zero = static_cast<float>(nearest_away(std::clamp(-least / step, 0.0f, high)));
  const float bottom = -zero * step, top = (high - zero) * step, inverse = 1.0f / step;
  const auto x = c.in[0]->as<float>();
  const auto y = c.out[0].as<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float inside = std::min(top, std::max(bottom, x[i])) - bottom;
    y[i] = static_cast<float>(nearest_away(inside * inverse)) * step + bottom;
  }
  return {};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  if (f.attrs.integer("narrow_range", 0) != 0)
    return foreign_error(f, "narrow_range", "the whole range: LiteRT refuses the other");
  Attrs a;
  a.set("min", f.attrs.real("min", 0));
  a.set("max", f.attrs.real("max", 0));
  a.set("num_bits", f.attrs.integer("num_bits", 0));
  return add_like(f, graph, "FakeQuant", f.inputs, std::move(a));
}

constexpr Foreign from[] = {{Format::tflite, "FAKE_QUANT", from_tflite}};

}  // namespace

extern constinit const OpDef op_fake_quant = {
    .name = "FakeQuant",
    .meaning =
        "y = what of a, a + step, ..., b is nearest to x, [a, b] being [min, max] moved so that 0 "
        "is "
        "a code",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
