// For each step: h' = tanh(W x + b + R h + b').
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

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  return recurrent_from_onnx(f, graph, "RNN", {"Tanh"});
}
constexpr Foreign from[] = {{Format::onnx, "RNN", from_onnx}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(n, 1));
  std::vector<Facts> facts{{DType::f32, p.y_shape(), {}}, {DType::f32, p.state_shape(), {}}};
  facts.resize(n.node.outputs.size());
  return facts;
}

float output_of(const FloatPolicy& p, float v) {
  return p.functions && p.functions->rnn_output ? p.functions->rnn_output(v) : tanh_of(p, v);
}

// One direction: the state [batch, hidden] is read and left in h. The bias starts the sum over x,
// the sum over h joins it.
void run(EvalContext& c, const RecurrentPlan& p, std::int64_t d, std::vector<float>& h) {
  const RecurrentWeights w = recurrent_weights(c, p, 1, d);
  std::vector<float> from_x(static_cast<std::size_t>(p.steps * p.batch * p.hidden)),
      sums(h.size(), 0.0f);
  for (std::size_t i = 0; i < from_x.size(); ++i)
    from_x[i] = w.bias_of(static_cast<std::int64_t>(i) % p.hidden, p.hidden);
  multiply(c.num.real, {p.steps * p.batch, p.hidden, p.in, c.in[0]->as<float>().data(), w.w, false,
                        from_x.data(), true});
  const bool starts = c.in.size() > 5 && c.in[5];
  for (std::int64_t step = 0; step < p.steps; ++step) {
    const std::int64_t t = p.backward(d) ? p.steps - 1 - step : step;
    if (step > 0 || starts)
      multiply(c.num.real, {p.batch, p.hidden, p.hidden, h.data(), w.r, false, sums.data()});
    for (std::int64_t i = 0; i < p.batch * p.hidden; ++i) {
      const std::int64_t row = p.x_at(t, i / p.hidden) / p.in;
      h[static_cast<std::size_t>(i)] = output_of(
          c.num.real, sums[static_cast<std::size_t>(i)] +
                          from_x[static_cast<std::size_t>(row * p.hidden + i % p.hidden)]);
    }
    recurrent_step(c, p, d, t, h);
  }
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(c.view, 1));
  for (std::int64_t d = 0; d < p.directions; ++d) {
    std::vector<float> h = recurrent_start(c, p, d, 5);
    run(c, p, d, h);
    recurrent_end(c, p, d, 1, h);
  }
  return {};
}

Cost cost(const NodeView& n) {
  const auto p = recurrent_plan(n, 1);
  return p.ok() ? Cost{p->steps * p->batch * p->directions * p->hidden * (p->in + p->hidden)}
                : Cost{};
}

}  // namespace

extern constinit const OpDef op_rnn = {
    .name = "RNN",
    .meaning = "h' = tanh(W x + b + R h + b')",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = recurrent_attrs,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
