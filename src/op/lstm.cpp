// For each step: i, o, f = sigmoid(W x + R h + b), g = tanh(W x + R h + b); c' = f * c + i * g; h' = o * tanh(c').
#include <algorithm>

#include "op/op_recurrent.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"w"}, {"r"}, {"bias", Slot::optional}, {"lengths", Slot::optional},
                           {"h", Slot::optional}, {"c", Slot::optional}, {"peepholes", Slot::optional}};
constexpr Slot outputs[] = {{"y", Slot::optional}, {"y_h", Slot::optional}, {"y_c", Slot::optional}};
constexpr std::int64_t gates = 4;

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  return recurrent_from_onnx(f, graph, "LSTM", {"Sigmoid", "Tanh", "Tanh"});
}
constexpr Foreign from[] = {{Format::onnx, "LSTM", from_onnx}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(n, gates));
  std::vector<Facts> facts{{DType::f32, p.y_shape(), {}}, {DType::f32, p.state_shape(), {}}, {DType::f32, p.state_shape(), {}}};
  facts.resize(n.node.outputs.size());
  return facts;
}

// One direction: states [batch, hidden] are read and left in h and cell. Sums first over x, then over h, then the bias.
void run(EvalContext& c, const RecurrentPlan& p, std::int64_t d, std::vector<float>& h, std::vector<float>& cell) {
  const FloatPolicy& real = c.num.real;
  const RecurrentWeights w = recurrent_weights(c, p, gates, d);
  const std::int64_t rows = gates * p.hidden;
  std::vector<float> from_x(static_cast<std::size_t>(p.steps * p.batch * rows)), sums(static_cast<std::size_t>(p.batch * rows));
  multiply(real, {p.steps * p.batch, rows, p.in, c.in[0]->as<float>().data(), w.w, w.w_stored, from_x.data()});
  for (std::int64_t step = 0; step < p.steps; ++step) {
    const std::int64_t t = p.backward(d) ? p.steps - 1 - step : step;
    for (std::int64_t b = 0; b < p.batch; ++b) std::copy_n(from_x.data() + p.x_at(t, b) / p.in * rows, rows, sums.data() + b * rows);
    multiply(real, {p.batch, rows, p.hidden, h.data(), w.r, w.r_stored, sums.data(), true});
    for (std::int64_t i = 0; i < p.batch * p.hidden; ++i) {
      const std::int64_t b = i / p.hidden, k = i % p.hidden;
      const auto gate = [&](std::int64_t g) {  // i, o, f, c
        const float sum = sums[static_cast<std::size_t>(b * rows + g * p.hidden + k)];
        return w.bias ? sum + w.bias_of(g * p.hidden + k, rows) : sum;
      };
      float &state = cell[static_cast<std::size_t>(i)], kept = sigmoid_of(real, gate(2)) * state;
      state = kept + sigmoid_of(real, gate(0)) * tanh_of(real, gate(3));
      h[static_cast<std::size_t>(i)] = tanh_of(real, state) * sigmoid_of(real, gate(1));
    }
    recurrent_step(c, p, d, t, h);
  }
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(c.view, gates));
  for (std::int64_t d = 0; d < p.directions; ++d) {
    std::vector<float> h = recurrent_start(c, p, d, 5), cell = recurrent_start(c, p, d, 6);
    run(c, p, d, h, cell);
    recurrent_end(c, p, d, 1, h);
    recurrent_end(c, p, d, 2, cell);
  }
  return {};
}

Cost cost(const NodeView& n) {
  const auto p = recurrent_plan(n, gates);
  return p.ok() ? Cost{p->steps * p->batch * p->directions * gates * p->hidden * (p->in + p->hidden)} : Cost{};
}

}  // namespace

extern constinit const OpDef op_lstm = {
    .name = "LSTM",
    .meaning = "c' = f * c + i * tanh(W x + R h + b), h' = o * tanh(c'), gates sigmoid(W x + R h + b)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = recurrent_attrs,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
