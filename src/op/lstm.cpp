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

// One direction of one sample: states are read and left in h and c.
void run(const EvalContext& c, const RecurrentPlan& p, std::int64_t d, std::int64_t b, std::vector<float>& h, std::vector<float>& cell,
         float* y) {
  const float* const w = c.in[1]->as<float>().data() + d * gates * p.hidden * p.in;
  const float* const r = c.in[2]->as<float>().data() + d * gates * p.hidden * p.hidden;
  const float* const bias = c.in.size() > 3 && c.in[3] ? c.in[3]->as<float>().data() + d * 2 * gates * p.hidden : nullptr;
  std::vector<float> sums(static_cast<std::size_t>(gates * p.hidden));
  for (std::int64_t step = 0; step < p.steps; ++step) {
    const std::int64_t t = p.backward(d) ? p.steps - 1 - step : step;
    const float* const x = c.in[0]->as<float>().data() + p.x_at(t, b);
    for (std::int64_t g = 0; g < gates * p.hidden; ++g) {
      const float start = bias ? bias[g] + bias[gates * p.hidden + g] : 0.0f;
      sums[static_cast<std::size_t>(g)] = row_sum(row_sum(start, w + g * p.in, x, p.in), r + g * p.hidden, h.data(), p.hidden);
    }
    for (std::int64_t k = 0; k < p.hidden; ++k) {
      const auto gate = [&](std::int64_t g) { return sums[static_cast<std::size_t>(g * p.hidden + k)]; };  // i, o, f, c
      const auto at = static_cast<std::size_t>(k);
      cell[at] = sigmoid_of(c.num.real, gate(2)) * cell[at] + sigmoid_of(c.num.real, gate(0)) * tanh_of(c.num.real, gate(3));
      h[at] = sigmoid_of(c.num.real, gate(1)) * tanh_of(c.num.real, cell[at]);
      if (y) y[p.y_at(t, d, b) + k] = h[at];
    }
  }
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(c.view, gates));
  const auto wanted = [&](std::size_t i) { return i < c.view.node.outputs.size() && c.view.node.outputs[i] != no_id; };
  for (std::int64_t d = 0; d < p.directions; ++d)
    for (std::int64_t b = 0; b < p.batch; ++b) {
      std::vector<float> states[2];
      for (std::size_t s = 0; s < 2; ++s) {
        states[s].assign(static_cast<std::size_t>(p.hidden), 0.0f);
        const Tensor* const given = c.in.size() > 5 + s ? c.in[5 + s] : nullptr;
        if (given) std::copy_n(given->as<float>().data() + p.state_at(d, b), p.hidden, states[s].data());
      }
      run(c, p, d, b, states[0], states[1], wanted(0) ? c.out[0].as<float>().data() : nullptr);
      for (std::size_t s = 0; s < 2; ++s)
        if (wanted(1 + s)) std::copy_n(states[s].data(), p.hidden, c.out[1 + s].as<float>().data() + p.state_at(d, b));
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
