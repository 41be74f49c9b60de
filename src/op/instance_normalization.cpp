// y[n,c,p] = scale[c] * (x[n,c,p] - mean) / sqrt(variance + epsilon) + bias[c], over the positions
// of n, c.
#include "num/real_functions.h"
#include "op/op_normalize.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"scale"}, {"bias"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"epsilon", "1e-5", "keeps the root from zero"}};
constexpr Rule rules[] = {
    {"all inputs are float32", all_float},
    {"x has positions, and scale and bias hold one element per channel",
     [](const NodeView& n) {
       const Shape& x = n.input(0).shape;
       return x.size() >= 3 && count_of(x) > 0 && count_of(n.input(1).shape) == x[1] &&
              count_of(n.input(2).shape) == x[1];
     }},
};
constexpr Foreign from[] = {{Format::onnx, "InstanceNormalization"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{{DType::f32, n.input(0).shape, {}}};
}

Result<void> eval(EvalContext& c) {
  const Shape& shape = c.in[0]->shape();
  const auto x = c.in[0]->as<float>(), scale = c.in[1]->as<float>(), bias = c.in[2]->as<float>();
  const auto channels = static_cast<std::size_t>(shape[1]),
             planes = static_cast<std::size_t>(shape[0]) * channels;
  const std::size_t positions = x.size() / planes;
  const RealFunctions* const own = c.num.real.functions;
  if (own && own->normalize_plane) {
    const auto epsilon = static_cast<float>(c.view.attrs().real("epsilon", 1e-5f));
    for (std::size_t p = 0; p < planes; ++p)
      own->normalize_plane(x.subspan(p * positions, positions),
                           c.out[0].as<float>().subspan(p * positions, positions),
                           scale[p % channels], bias[p % channels], epsilon,
                           static_cast<std::int64_t>(p * positions));
    return {};
  }
  for (std::size_t p = 0; p < planes; ++p)
    normalize_group(
        x, c.out[0].as<float>(), positions, c.view.attrs().real("epsilon", 1e-5f),
        [&](std::size_t i) { return p * positions + i; },
        [&](double v, std::size_t) { return v * scale[p % channels] + bias[p % channels]; });
  return {};
}

}  // namespace

extern constinit const OpDef op_instance_normalization = {
    .name = "InstanceNormalization",
    .meaning = "y = scale * (x - mean) / sqrt(variance + epsilon) + bias, by sample and channel",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
