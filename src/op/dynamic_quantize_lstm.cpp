// An LSTM whose weights are codes: the rows of x, and of h at each step, become codes of one scale
// for all (N29), their products with the weights are exact (N103).
#include <algorithm>

#include "num/ort_codes.h"
#include "op/op_codes.h"
#include "op/op_quantization.h"
#include "op/op_recurrent.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"},
                           {"w"},
                           {"r"},
                           {"bias", Slot::optional},
                           {"lengths", Slot::optional},
                           {"h", Slot::optional},
                           {"c", Slot::optional},
                           {"peepholes", Slot::optional},
                           {"w_scale"},
                           {"w_zero"},
                           {"r_scale"},
                           {"r_zero"}};
constexpr Slot outputs[] = {
    {"y", Slot::optional}, {"y_h", Slot::optional}, {"y_c", Slot::optional}};
constexpr std::int64_t gates = 4;

bool eight_bits(DType t) {
  return t == DType::i8 || t == DType::u8;
}
// One element for each direction, or one for each row of its weights as well.
bool spans(const NodeView& n, std::size_t i) {
  const Shape &s = n.input(i).shape, &w = n.input(1).shape;
  return w.size() == 3 && (s == Shape{w[0]} || s == Shape{w[0], w[2]});
}
constexpr Rule rules[] = {
    {"w and r are int8 or uint8, their zero points likewise",
     [](const NodeView& n) {
       return eight_bits(n.input(1).dtype) && eight_bits(n.input(2).dtype) &&
              n.input(9).dtype == n.input(1).dtype && n.input(11).dtype == n.input(2).dtype;
     }},
    {"scales are float32; scales and zero points stand by direction, or by direction and row",
     [](const NodeView& n) {
       return n.input(8).dtype == DType::f32 && n.input(10).dtype == DType::f32 && spans(n, 8) &&
              spans(n, 9) && spans(n, 10) && spans(n, 11);
     }},
};

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  return recurrent_from_onnx(f, graph, "DynamicQuantizeLSTM", {"Sigmoid", "Tanh", "Tanh"});
}
constexpr Foreign from[] = {{Format::onnx, "com.microsoft:DynamicQuantizeLSTM", from_onnx}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(n, gates, true));
  std::vector<Facts> facts{{DType::f32, p.y_shape(), {}},
                           {DType::f32, p.state_shape(), {}},
                           {DType::f32, p.state_shape(), {}}};
  facts.resize(n.node.outputs.size());
  return facts;
}

// Weights [k, columns] of one direction, zero points taken off; their scale by column.
struct Coded {
  std::vector<std::int32_t> w;
  std::vector<float> scale;
};
Coded coded_of(const Tensor& w, const Tensor& scale, const Tensor& zero, std::int64_t d) {
  const std::int64_t columns = w.shape()[2], size = w.shape()[1] * columns;
  const auto at = [&](const Tensor& t, std::int64_t column) {
    return t.shape().size() > 1 ? d * columns + column : d;
  };
  Coded out;
  for (std::int64_t i = 0; i < size; ++i)
    out.w.push_back(
        static_cast<std::int32_t>(w.code(d * size + i) - zero.code(at(zero, i % columns))));
  for (std::int64_t j = 0; j < columns; ++j)
    out.scale.push_back(scale.as<float>()[static_cast<std::size_t>(at(scale, j))]);
  return out;
}

// y = x W, or y + that: one scale and zero point for all of x.
void multiply_coded(const QuantizePolicy& policy, const Coded& weights, std::int64_t rows,
                    const float* x, float* y, bool add) {
  const auto columns = std::ssize(weights.scale), k = std::ssize(weights.w) / columns;
  float low = 0, high = 0;
  for (std::int64_t i = 0; i < rows * k; ++i)
    low = std::min(low, x[i]), high = std::max(high, x[i]);
  const DynamicRange range = dynamic_range(low, high);
  std::vector<std::int32_t> sums(static_cast<std::size_t>(columns));
  for (std::int64_t i = 0; i < rows; ++i) {
    std::ranges::fill(sums, 0);
    for (std::int64_t s = 0; s < k; ++s) {
      const std::int32_t code =
          policy.quantize(x[i * k + s], range.scale, range.zero, 0, 255) - range.zero;
      for (std::int64_t j = 0; j < columns; ++j)
        sums[static_cast<std::size_t>(j)] +=
            code * weights.w[static_cast<std::size_t>(s * columns + j)];
    }
    for (std::int64_t j = 0; j < columns; ++j) {
      const auto at = static_cast<std::size_t>(j);
      const float real = static_cast<float>(sums[at]) * (range.scale * weights.scale[at]);
      y[i * columns + j] = add ? real + y[i * columns + j] : real;
    }
  }
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(c.view, gates, true));
  const QuantizePolicy* const policy = &quantize_policy(c.num);
  run_lstm(c, p, [&](std::int64_t d) {
    LstmLayer layer;
    layer.from_x = [policy, w = coded_of(*c.in[1], *c.in[8], *c.in[9], d)](
                       std::int64_t rows, const float* x, float* y) {
      multiply_coded(*policy, w, rows, x, y, false);
    };
    layer.add_from_state = [policy, r = coded_of(*c.in[2], *c.in[10], *c.in[11], d)](
                               std::int64_t rows, const float* h, float* y) {
      multiply_coded(*policy, r, rows, h, y, true);
    };
    if (c.in[3]) layer.bias = c.in[3]->as<float>().data() + d * 2 * gates * p.hidden;
    return layer;
  });
  return {};
}

Cost cost(const NodeView& n) {
  const auto p = recurrent_plan(n, gates, true);
  return p.ok()
             ? Cost{p->steps * p->batch * p->directions * gates * p->hidden * (p->in + p->hidden)}
             : Cost{};
}

}  // namespace

extern constinit const OpDef op_dynamic_quantize_lstm = {
    .name = "DynamicQuantizeLSTM",
    .meaning = "an LSTM whose weights are codes; x, and h at each step, become codes of one scale",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = recurrent_attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
