// For each step: h' = tanh(W x + b + R h + b').
#include <algorithm>

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

// One direction of one sample: the state is read and left in h.
void run(const EvalContext& c, const RecurrentPlan& p, std::int64_t d, std::int64_t b,
         std::vector<float>& h, float* y) {
  const float* const w = c.in[1]->as<float>().data() + d * p.hidden * p.in;
  const float* const r = c.in[2]->as<float>().data() + d * p.hidden * p.hidden;
  const float* const bias =
      c.in.size() > 3 && c.in[3] ? c.in[3]->as<float>().data() + d * 2 * p.hidden : nullptr;
  std::vector<float> next(h.size());
  for (std::int64_t step = 0; step < p.steps; ++step) {
    const std::int64_t t = p.backward(d) ? p.steps - 1 - step : step;
    const float* const x = c.in[0]->as<float>().data() + p.x_at(t, b);
    for (std::int64_t k = 0; k < p.hidden; ++k) {
      const float start = bias ? bias[k] + bias[p.hidden + k] : 0.0f;
      const float sum =
          row_sum(row_sum(start, w + k * p.in, x, p.in), r + k * p.hidden, h.data(), p.hidden);
      next[static_cast<std::size_t>(k)] = tanh_of(c.num.real, sum);
      if (y) y[p.y_at(t, d, b) + k] = next[static_cast<std::size_t>(k)];
    }
    h = next;
  }
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const RecurrentPlan p, recurrent_plan(c.view, 1));
  const auto wanted = [&](std::size_t i) {
    return i < c.view.node.outputs.size() && c.view.node.outputs[i] != no_id;
  };
  for (std::int64_t d = 0; d < p.directions; ++d)
    for (std::int64_t b = 0; b < p.batch; ++b) {
      std::vector<float> h(static_cast<std::size_t>(p.hidden), 0.0f);
      if (c.in.size() > 5 && c.in[5])
        std::copy_n(c.in[5]->as<float>().data() + p.state_at(d, b), p.hidden, h.data());
      run(c, p, d, b, h, wanted(0) ? c.out[0].as<float>().data() : nullptr);
      if (wanted(1))
        std::copy_n(h.data(), p.hidden, c.out[1].as<float>().data() + p.state_at(d, b));
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
