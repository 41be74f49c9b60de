// y[n,c,p] = scale[c] * (x[n,c,p] - mean) / sqrt(variance + epsilon) + bias[c], over the channels
// of a group and all positions.
#include "num/real_functions.h"
#include "op/op_normalize.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"scale"}, {"bias"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"num_groups", "", "the channels stand in so many groups"},
    {"epsilon", "1e-5", "keeps the root from zero"},
    {"stash_type", "1", "1: statistics in float32"},
};
constexpr Rule rules[] = {
    {"all inputs are float32", all_float},
    {"the channels divide into num_groups, and scale and bias hold one element for each channel or "
     "group",
     [](const NodeView& n) {
       const Shape& x = n.input(0).shape;
       const std::int64_t groups = n.attrs().integer("num_groups", 0),
                          scales = x.size() < 3 ? 0 : count_of(n.input(1).shape);
       return x.size() >= 3 && count_of(x) > 0 && groups > 0 && x[1] % groups == 0 &&
              (scales == x[1] || scales == groups) && count_of(n.input(2).shape) == scales;
     }},
};
constexpr Foreign from[] = {{Format::onnx, "GroupNormalization"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{{DType::f32, n.input(0).shape, {}}};
}

// N104: rows of `step` elements, each a group; the mean of squares less the square of the mean,
// then a quotient.
void normalize_rows(const RealFunctions& own, std::span<const float> x, std::span<float> y,
                    std::size_t step, float epsilon) {
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(x.size() / step),
                                        static_cast<std::int64_t>(step)};
  const std::vector<std::uint8_t> rows{0, 1};
  std::vector<float> squares(x.size()), mean(x.size() / step), square(mean.size());
  for (std::size_t i = 0; i < x.size(); ++i) squares[i] = x[i] * x[i];
  own.reduce(RealReduction::mean, x, shape, rows, mean);
  own.reduce(RealReduction::mean, squares, shape, rows, square);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float m = mean[i / step];
    y[i] = (x[i] - m) / std::sqrt(square[i / step] - m * m + epsilon);
  }
}

Result<void> eval(EvalContext& c) {
  const Shape& shape = c.in[0]->shape();
  const auto x = c.in[0]->as<float>(), scale = c.in[1]->as<float>(), bias = c.in[2]->as<float>();
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto groups = static_cast<std::size_t>(c.view.attrs().integer("num_groups", 1));
  const std::size_t positions = x.size() / static_cast<std::size_t>(shape[0]) / channels,
                    per_group = channels / groups;
  const std::size_t step = per_group * positions;
  if (const RealFunctions* const own = c.num.real.functions; own && own->reduce) {
    const auto y = c.out[0].as<float>();
    normalize_rows(*own, x, y, step, static_cast<float>(c.view.attrs().real("epsilon", 1e-5f)));
    for (std::size_t i = 0; i < y.size(); ++i) {
      const std::size_t channel = i / positions % channels,
                        s = scale.size() == channels ? channel : channel / per_group;
      y[i] = y[i] * scale[s] + bias[s];
    }
    return {};
  }
  for (std::size_t g = 0; g < x.size() / step; ++g)
    normalize_group(
        x, c.out[0].as<float>(), step, c.view.attrs().real("epsilon", 1e-5f),
        [&](std::size_t i) { return g * step + i; },
        [&](double v, std::size_t i) {
          const std::size_t channel = i / positions % channels;
          const std::size_t s = scale.size() == channels ? channel : channel / per_group;
          return v * scale[s] + bias[s];
        });
  return {};
}

}  // namespace

extern constinit const OpDef op_group_normalization = {
    .name = "GroupNormalization",
    .meaning =
        "y = scale * (x - mean) / sqrt(variance + epsilon) + bias, by sample and group of channels",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
