// y[n,c,p] = x[n,c,p] / (bias + alpha / size * sum of x[n,i,p]^2 over the `size` channels around c) ^ beta.
#include <algorithm>
#include <cmath>

#include "op/op.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"size", "", "channels that are summed"},
    {"alpha", "0.0001", "factor of their mean"},
    {"beta", "0.75", "exponent"},
    {"bias", "1", "term beside it"},
};
constexpr Rule rules[] = {
    {"x is float32 with batch and channels", [](const NodeView& n) { return n.input(0).dtype == DType::f32 && n.input(0).shape.size() >= 2; }},
    {"size is 1 or more", [](const NodeView& n) { return n.attrs().integer("size", 0) >= 1; }},
};
constexpr Foreign from[] = {{Format::onnx, "LRN"}};

Result<std::vector<Facts>> infer(const NodeView& n) { return std::vector<Facts>{{DType::f32, n.input(0).shape, {}}}; }

Result<void> eval(EvalContext& c) {
  const Shape& shape = c.in[0]->shape();
  const auto x = c.in[0]->as<float>();
  const auto y = c.out[0].as<float>();
  const std::int64_t channels = shape[1], size = std::min(c.view.attrs().integer("size", 1), 2 * channels + 1);
  if (x.empty()) return {};
  const std::int64_t positions = c.in[0]->count() / shape[0] / channels;
  const double alpha = c.view.attrs().real("alpha", 0.0001f), beta = c.view.attrs().real("beta", 0.75);
  const double bias = c.view.attrs().real("bias", 1), part = alpha / static_cast<double>(c.view.attrs().integer("size", 1));
  for (std::int64_t i = 0; i < c.in[0]->count(); ++i) {
    const std::int64_t ch = i / positions % channels;
    const std::int64_t first = std::max<std::int64_t>(0, ch - (size - 1) / 2), last = std::min(channels - 1, ch + size / 2);
    double sum = 0;
    for (std::int64_t k = first; k <= last; ++k) {
      const double v = x[static_cast<std::size_t>(i + (k - ch) * positions)];
      sum += v * v;
    }
    const auto at = static_cast<std::size_t>(i);
    y[at] = static_cast<float>(x[at] / std::pow(bias + part * sum, beta));
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_lrn = {
    .name = "LRN",
    .meaning = "y = x / (bias + alpha / size * sum of x^2 over neighbouring channels) ^ beta",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
