// For each step: i, o, f = sigmoid(W x + R h + b), g = tanh(W x + R h + b); c' = f * c + i * g; h'
// = o * tanh(c').
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
                           {"peepholes", Slot::optional}};
constexpr Slot outputs[] = {
    {"y", Slot::optional}, {"y_h", Slot::optional}, {"y_c", Slot::optional}};
constexpr std::int64_t gates = 4;

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  return recurrent_from_onnx(f, graph, "LSTM", {"Sigmoid", "Tanh", "Tanh"});
}
constexpr Foreign from[] = {{Format::onnx, "LSTM", from_onnx}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(n, gates));
  std::vector<Facts> facts{{DType::f32, p.y_shape(), {}},
                           {DType::f32, p.state_shape(), {}},
                           {DType::f32, p.state_shape(), {}}};
  facts.resize(n.node.outputs.size());
  return facts;
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(c.view, gates));
  run_lstm(c, p, [&](std::int64_t d) {
    const RecurrentWeights w = recurrent_weights(c, p, gates, d);
    const std::int64_t columns = gates * p.hidden, in = p.in, hidden = p.hidden;
    const FloatPolicy* const real = &c.num.real;
    return LstmLayer{[=](std::int64_t rows, const float* x, float* y) {
                       multiply(*real, {rows, columns, in, x, w.w, w.w_stored, y});
                     },
                     [=](std::int64_t rows, const float* h, float* y) {
                       multiply(*real, {rows, columns, hidden, h, w.r, w.r_stored, y, true});
                     },
                     w.bias};
  });
  return {};
}

Cost cost(const NodeView& n) {
  const auto p = recurrent_plan(n, gates);
  return p.ok()
             ? Cost{p->steps * p->batch * p->directions * gates * p->hidden * (p->in + p->hidden)}
             : Cost{};
}

}  // namespace

extern constinit const OpDef op_lstm = {
    .name = "LSTM",
    .meaning =
        "c' = f * c + i * tanh(W x + R h + b), h' = o * tanh(c'), gates sigmoid(W x + R h + b)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = recurrent_attrs,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
