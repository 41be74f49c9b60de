// y[n,c,p] = x[n,c,p] / (bias + alpha / size * sum of x[n,i,p]^2 over the `size` channels around c)
// ^ beta.
#include <algorithm>
#include <cmath>

#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"axis", "1", "of the channels: 1 or -1, the last; there alpha is the factor of the sum"},
    {"size", "", "channels that are summed"},
    {"alpha", "0.0001", "factor of their mean"},
    {"beta", "0.75", "exponent"},
    {"bias", "1", "term beside it"},
};
constexpr Rule rules[] = {
    {"x is float32 with batch and channels",
     [](const NodeView& n) {
       return n.input(0).dtype == DType::f32 && n.input(0).shape.size() >= 2;
     }},
    {"size is 1 or more, the axis 1 or -1",
     [](const NodeView& n) {
       const std::int64_t axis = n.attrs().integer("axis", 1);
       return n.attrs().integer("size", 0) >= 1 && (axis == 1 || axis == -1);
     }},
};
// Along the last axis, `radius` to both sides; alpha is no mean's.
Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Attrs a;
  a.set("axis", std::int64_t{-1});
  a.set("size", 2 * f.attrs.integer("radius", 0) + 1);
  a.set("alpha", f.attrs.real("alpha", 0));
  a.set("beta", f.attrs.real("beta", 0));
  a.set("bias", f.attrs.real("bias", 0));
  return add_like(f, graph, "LRN", {f.inputs.at(0)}, std::move(a));
}
constexpr Foreign from[] = {{Format::onnx, "LRN"},
                            {Format::tflite, "LOCAL_RESPONSE_NORMALIZATION", from_tflite}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{{DType::f32, n.input(0).shape, {}}};
}

// onnxruntime's sum runs along: what comes in is added to it, what goes out is taken off.
void run_along(std::span<const float> squares, std::int64_t size, float part, float bias,
               std::span<float> sums) {
  const std::int64_t channels = std::ssize(squares), before = (size - 1) / 2;
  const auto square = [&](std::int64_t c) {
    return c < 0 || c >= channels ? 0.0f : squares[static_cast<std::size_t>(c)];
  };
  sums[0] = bias;
  for (std::int64_t c = 0; c < size; ++c) sums[0] += part * square(c - before);
  for (std::int64_t c = 1; c < channels; ++c) {
    const float with_head =
        sums[static_cast<std::size_t>(c - 1)] + part * square(c + size - 1 - before);
    sums[static_cast<std::size_t>(c)] = with_head + -part * square(c - 1 - before);
  }
}

// TFLite sums each window anew, and leaves the last channel of it out.
void each_window(std::span<const float> squares, std::int64_t size, float alpha, float bias,
                 std::span<float> sums) {
  const std::int64_t channels = std::ssize(squares), radius = size / 2;
  for (std::int64_t c = 0; c < channels; ++c) {
    float sum = 0;
    for (std::int64_t k = std::max<std::int64_t>(0, c - radius); k < std::min(channels, c + radius);
         ++k)
      sum += squares[static_cast<std::size_t>(k)];
    sums[static_cast<std::size_t>(c)] = bias + alpha * sum;
  }
}

Result<void> eval(EvalContext& c) {
  const Shape& shape = c.in[0]->shape();
  const auto x = c.in[0]->as<float>();
  const auto y = c.out[0].as<float>();
  if (x.empty()) return {};
  const bool last = c.view.attrs().integer("axis", 1) == -1;
  const std::int64_t channels = last ? shape.back() : shape[1],
                     positions = last ? 1 : c.in[0]->count() / shape[0] / channels;
  const std::int64_t whole = c.view.attrs().integer("size", 1),
                     size = std::min(whole, 2 * channels + 1);
  const auto alpha = static_cast<float>(c.view.attrs().real("alpha", 0.0001f)),
             beta = static_cast<float>(c.view.attrs().real("beta", 0.75)),
             bias = static_cast<float>(c.view.attrs().real("bias", 1));
  std::vector<float> squares(static_cast<std::size_t>(channels)), sums(squares.size());
  for (std::int64_t row = 0; row < c.in[0]->count() / channels; ++row) {
    const std::int64_t first = row / positions * positions * channels + row % positions;
    const auto at = [&](std::size_t k) {
      return static_cast<std::size_t>(first + static_cast<std::int64_t>(k) * positions);
    };
    for (std::size_t k = 0; k < squares.size(); ++k) squares[k] = x[at(k)] * x[at(k)];
    if (last)
      each_window(squares, size, alpha, bias, sums);
    else
      run_along(squares, size, alpha / static_cast<float>(whole), bias, sums);
    for (std::size_t k = 0; k < squares.size(); ++k) y[at(k)] = std::pow(sums[k], -beta) * x[at(k)];
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
