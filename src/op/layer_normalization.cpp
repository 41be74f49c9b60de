// y = scale * (x - mean) / sqrt(variance + epsilon) + bias, over all axes from `axis` on.
#include "num/real_functions.h"
#include "op/op_normalize.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"scale"}, {"bias", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"axis", "-1", "first axis that is normalized over"},
    {"epsilon", "1e-5", "keeps the root from zero"},
    {"stash_type", "1", "1: statistics in float32 or wider"},
};

std::size_t inner_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  const auto rank = std::ssize(x);
  std::int64_t axis = n.attrs().integer("axis", -1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return 0;
  return static_cast<std::size_t>(count_of(Shape(x.begin() + axis, x.end())));
}

constexpr Rule rules[] = {
    {"all inputs are float32", all_float},
    {"axis is one of x, and scale and bias have the shape of the axes from there on",
     [](const NodeView& n) {
       const auto inner = static_cast<std::int64_t>(inner_of(n));
       return inner > 0 && count_of(n.input(1).shape) == inner &&
              (!n.has_input(2) || count_of(n.input(2).shape) == inner);
     }},
};
constexpr Foreign from[] = {{Format::onnx, "LayerNormalization"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{{DType::f32, n.input(0).shape, {}}};
}

Result<void> eval(EvalContext& c) {
  const std::size_t inner = inner_of(c.view);
  const auto x = c.in[0]->as<float>(), scale = c.in[1]->as<float>();
  const float* const bias = c.in.size() > 2 && c.in[2] ? c.in[2]->as<float>().data() : nullptr;
  const RealFunctions* const own = c.num.real.functions;
  if (own && own->normalize_row) {
    const auto epsilon = static_cast<float>(c.view.attrs().real("epsilon", 1e-5f));
    for (std::size_t first = 0; first < x.size(); first += inner)
      own->normalize_row(x.subspan(first, inner), c.out[0].as<float>().subspan(first, inner),
                         scale.data(), bias, epsilon);
    return {};
  }
  for (std::size_t first = 0; first < x.size(); first += inner)
    normalize_group(
        x, c.out[0].as<float>(), inner, c.view.attrs().real("epsilon", 1e-5f),
        [&](std::size_t i) { return first + i; },
        [&](double v, std::size_t at) {
          return v * scale[at - first] + (bias ? bias[at - first] : 0.f);
        });
  return {};
}

}  // namespace

extern constinit const OpDef op_layer_normalization = {
    .name = "LayerNormalization",
    .meaning = "y = scale * (x - mean) / sqrt(variance + epsilon) + bias, over the innermost axes",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
