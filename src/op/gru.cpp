// For each step: z, r = sigmoid(W x + R h + b), n = tanh(W x + b + R (r * h) + b'), with linear_before_reset
// tanh(W x + b + r * (R h + b')); h' = (1 - z) * n + z * h.
#include <algorithm>

#include "op/op_recurrent.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"w"}, {"r"}, {"bias", Slot::optional}, {"lengths", Slot::optional}, {"h", Slot::optional}};
constexpr Slot outputs[] = {{"y", Slot::optional}, {"y_h", Slot::optional}};
constexpr std::int64_t gates = 3;

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) { return recurrent_from_onnx(f, graph, "GRU", {"Sigmoid", "Tanh"}); }
constexpr Foreign from[] = {{Format::onnx, "GRU", from_onnx}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(n, gates));
  std::vector<Facts> facts{{DType::f32, p.y_shape(), {}}, {DType::f32, p.state_shape(), {}}};
  facts.resize(n.node.outputs.size());
  return facts;
}

// One direction of one sample: the state is read and left in h.
void run(const EvalContext& c, const RecurrentPlan& p, std::int64_t d, std::int64_t b, std::vector<float>& h, float* y) {
  const float* const w = c.in[1]->as<float>().data() + d * gates * p.hidden * p.in;
  const float* const r = c.in[2]->as<float>().data() + d * gates * p.hidden * p.hidden;
  const float* const bias = c.in.size() > 3 && c.in[3] ? c.in[3]->as<float>().data() + d * 2 * gates * p.hidden : nullptr;
  const bool linear = c.view.attrs().integer("linear_before_reset", 0) != 0;
  const auto n = static_cast<std::size_t>(p.hidden);
  std::vector<float> update(n), reset(n), gated(n), next(n);
  for (std::int64_t step = 0; step < p.steps; ++step) {
    const std::int64_t t = p.backward(d) ? p.steps - 1 - step : step;
    const float* const x = c.in[0]->as<float>().data() + p.x_at(t, b);
    const auto from_x = [&](std::int64_t g, std::int64_t k) {
      const std::int64_t row = g * p.hidden + k;
      return row_sum(bias ? bias[row] : 0.0f, w + row * p.in, x, p.in);
    };
    const auto from_state = [&](std::int64_t g, std::int64_t k, const std::vector<float>& state) {
      const std::int64_t row = g * p.hidden + k;
      return row_sum(bias ? bias[gates * p.hidden + row] : 0.0f, r + row * p.hidden, state.data(), p.hidden);
    };
    for (std::int64_t k = 0; k < p.hidden; ++k) {
      const auto at = static_cast<std::size_t>(k);
      update[at] = sigmoid_of(c.num.real, from_x(0, k) + from_state(0, k, h));
      reset[at] = sigmoid_of(c.num.real, from_x(1, k) + from_state(1, k, h));
    }
    for (std::size_t k = 0; k < n; ++k) gated[k] = reset[k] * h[k];
    for (std::int64_t k = 0; k < p.hidden; ++k) {
      const auto at = static_cast<std::size_t>(k);
      const float state = linear ? reset[at] * from_state(2, k, h) : from_state(2, k, gated);
      next[at] = (1.0f - update[at]) * tanh_of(c.num.real, from_x(2, k) + state) + update[at] * h[at];
      if (y) y[p.y_at(t, d, b) + k] = next[at];
    }
    h = next;
  }
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(c.view, gates));
  const auto wanted = [&](std::size_t i) { return i < c.view.node.outputs.size() && c.view.node.outputs[i] != no_id; };
  for (std::int64_t d = 0; d < p.directions; ++d)
    for (std::int64_t b = 0; b < p.batch; ++b) {
      std::vector<float> h(static_cast<std::size_t>(p.hidden), 0.0f);
      if (c.in.size() > 5 && c.in[5]) std::copy_n(c.in[5]->as<float>().data() + p.state_at(d, b), p.hidden, h.data());
      run(c, p, d, b, h, wanted(0) ? c.out[0].as<float>().data() : nullptr);
      if (wanted(1)) std::copy_n(h.data(), p.hidden, c.out[1].as<float>().data() + p.state_at(d, b));
    }
  return {};
}

Cost cost(const NodeView& n) {
  const auto p = recurrent_plan(n, gates);
  return p.ok() ? Cost{p->steps * p->batch * p->directions * gates * p->hidden * (p->in + p->hidden)} : Cost{};
}

}  // namespace

extern constinit const OpDef op_gru = {
    .name = "GRU",
    .meaning = "h' = (1 - z) * tanh(W x + b + R (r * h) + b') + z * h, z and r sigmoid(W x + R h + b)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = recurrent_attrs,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
