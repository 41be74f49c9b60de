// For each step: z, r = sigmoid(W x + R h + b), n = tanh(W x + b + R (r * h) + b'), with
// linear_before_reset tanh(W x + b + r * (R h + b')); h' = (1 - z) * n + z * h.
#include <algorithm>

#include "num/real_functions.h"
#include "op/op_recurrent.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"},
                           {"w"},
                           {"r"},
                           {"bias", Slot::optional},
                           {"lengths", Slot::optional},
                           {"h", Slot::optional}};
constexpr Slot outputs[] = {{"y", Slot::optional}, {"y_h", Slot::optional}};
constexpr std::int64_t gates = 3;

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  return recurrent_from_onnx(f, graph, "GRU", {"Sigmoid", "Tanh"});
}
constexpr Foreign from[] = {{Format::onnx, "GRU", from_onnx}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(n, gates));
  std::vector<Facts> facts{{DType::f32, p.y_shape(), {}}, {DType::f32, p.state_shape(), {}}};
  facts.resize(n.node.outputs.size());
  return facts;
}

float reset_of(const FloatPolicy& p, float v) {
  return p.functions && p.functions->gru_reset ? p.functions->gru_reset(v) : sigmoid_of(p, v);
}
float output_of(const FloatPolicy& p, float v) {
  return p.functions && p.functions->gru_output ? p.functions->gru_output(v) : tanh_of(p, v);
}

// Adds what the reset gate leaves of the state to the output gate's sums: its product with the
// weights, or (linear) their product with the whole state under the gate.
void add_reset_state(const FloatPolicy& real, const RecurrentPlan& p, const RecurrentWeights& w,
                     const std::vector<float>& reset, bool linear, const std::vector<float>& h,
                     std::vector<float>& sums) {
  const float* const r = w.r + 2 * p.hidden * p.hidden;
  std::vector<float> state(h.size());
  if (!linear) {
    for (std::size_t i = 0; i < h.size(); ++i) state[i] = h[i] * reset[i];
    return multiply(real,
                    {p.batch, p.hidden, p.hidden, state.data(), r, w.r_stored, sums.data(), true});
  }
  for (std::size_t i = 0; w.bias && i < h.size(); ++i)
    state[i] = w.bias[5 * p.hidden + static_cast<std::int64_t>(i) % p.hidden];
  multiply(real,
           {p.batch, p.hidden, p.hidden, h.data(), r, w.r_stored, state.data(), w.bias != nullptr});
  for (std::size_t i = 0; i < h.size(); ++i) sums[i] = sums[i] + state[i] * reset[i];
}

// One direction: the state [batch, hidden] is read and left in h. Sums first over x, then over h,
// then the bias.
void run(EvalContext& c, const RecurrentPlan& p, std::int64_t d, std::vector<float>& h) {
  const FloatPolicy& real = c.num.real;
  const RecurrentWeights w = recurrent_weights(c, p, gates, d);
  const std::int64_t rows = gates * p.hidden, two = 2 * p.hidden;
  const bool linear = c.view.attrs().integer("linear_before_reset", 0) != 0;
  std::vector<float> from_x(static_cast<std::size_t>(p.steps * p.batch * rows)), both(2 * h.size()),
      reset(h.size()), last(h.size());
  multiply(real, {p.steps * p.batch, rows, p.in, c.in[0]->as<float>().data(), w.w, w.w_stored,
                  from_x.data()});
  for (std::int64_t step = 0; step < p.steps; ++step) {
    const std::int64_t t = p.backward(d) ? p.steps - 1 - step : step;
    for (std::int64_t b = 0; b < p.batch; ++b) {
      const float* const row = from_x.data() + p.x_at(t, b) / p.in * rows;
      std::copy_n(row, two, both.data() + b * two);
      std::copy_n(row + two, p.hidden, last.data() + b * p.hidden);
    }
    multiply(real, {p.batch, two, p.hidden, h.data(), w.r, w.r_stored, both.data(), true});
    const auto gate = [&](std::size_t i, std::int64_t g) {  // z, r
      const auto b = static_cast<std::int64_t>(i) / p.hidden,
                 k = static_cast<std::int64_t>(i) % p.hidden;
      const float sum = both[static_cast<std::size_t>(b * two + g * p.hidden + k)];
      return w.bias ? sum + w.bias_of(g * p.hidden + k, rows) : sum;
    };
    for (std::size_t i = 0; i < h.size(); ++i) reset[i] = reset_of(real, gate(i, 1));
    add_reset_state(real, p, w, reset, linear, h, last);
    for (std::size_t i = 0; i < h.size(); ++i) {
      const std::int64_t k = two + static_cast<std::int64_t>(i) % p.hidden;
      const float sum = !w.bias ? last[i] : last[i] + (linear ? w.bias[k] : w.bias_of(k, rows));
      const float update = sigmoid_of(real, gate(i, 0));
      h[i] = (1.0f - update) * output_of(real, sum) + update * h[i];
    }
    recurrent_step(c, p, d, t, h);
  }
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(c.view, gates));
  for (std::int64_t d = 0; d < p.directions; ++d) {
    std::vector<float> h = recurrent_start(c, p, d, 5);
    run(c, p, d, h);
    recurrent_end(c, p, d, 1, h);
  }
  return {};
}

Cost cost(const NodeView& n) {
  const auto p = recurrent_plan(n, gates);
  return p.ok()
             ? Cost{p->steps * p->batch * p->directions * gates * p->hidden * (p->in + p->hidden)}
             : Cost{};
}

}  // namespace

extern constinit const OpDef op_gru = {
    .name = "GRU",
    .meaning =
        "h' = (1 - z) * tanh(W x + b + R (r * h) + b') + z * h, z and r sigmoid(W x + R h + b)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = recurrent_attrs,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
