#include "op/op_recurrent.h"

#include <algorithm>

#include "base/text.h"

namespace lockstep {

Result<RecurrentPlan> recurrent_plan(const NodeView& n, std::int64_t gates, bool coded) {
  const Shape &x = n.input(0).shape, &w = n.input(1).shape, &r = n.input(2).shape;
  RecurrentPlan p;
  const std::string direction = n.attrs().text("direction", "forward");
  p.batch_first = n.attrs().integer("layout", 0) != 0;
  p.reverse_only = direction == "reverse";
  p.directions = direction == "bidirectional" ? 2 : 1;
  if (x.size() != 3 || w.size() != 3 || r.size() != 3)
    return Error{n.where(), "x " + shape_text(x) + ", w " + shape_text(w) + ", r " + shape_text(r),
                 "three axes each", ""};
  p.steps = x[p.batch_first ? 1 : 0], p.batch = x[p.batch_first ? 0 : 1], p.in = x[2];
  p.hidden = n.attrs().integer("hidden_size", coded ? r[1] : r[2]);
  const std::int64_t rows = gates * p.hidden;
  const Shape want_w = coded ? Shape{p.directions, p.in, rows} : Shape{p.directions, rows, p.in};
  const Shape want_r =
      coded ? Shape{p.directions, p.hidden, rows} : Shape{p.directions, rows, p.hidden};
  if (p.hidden < 1 || p.in < 1 || w != want_w || r != want_r)
    return Error{n.where(), "w " + shape_text(w) + ", r " + shape_text(r),
                 shape_text(want_w) + " and " + shape_text(want_r), ""};
  if (n.has_input(3) && n.input(3).shape != Shape{p.directions, 2 * gates * p.hidden})
    return Error{n.where(), "a bias of shape " + shape_text(n.input(3).shape),
                 shape_text(Shape{p.directions, 2 * gates * p.hidden}), ""};
  for (std::size_t i = 0; i < std::min<std::size_t>(n.input_count(), 8); ++i)
    if (n.has_input(i) && n.input(i).dtype != DType::f32 && !(coded && (i == 1 || i == 2)))
      return Error{n.where(), "an input of type " + std::string(name_of(n.input(i).dtype)),
                   "float32 throughout", ""};
  for (const std::size_t state : {std::size_t{5}, std::size_t{6}})
    if (n.has_input(state) && n.input(state).shape != p.state_shape())
      return Error{n.where(), "a state of shape " + shape_text(n.input(state).shape),
                   shape_text(p.state_shape()), ""};
  return p;
}

Result<void> recurrent_from_onnx(const ForeignNode& f, GraphBuilder& graph, std::string_view op,
                                 const std::vector<std::string>& activations) {
  LOCKSTEP_CHECK(known_attributes(
      f, {"activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size",
          "input_forget", "layout", "linear_before_reset"}));
  if (has_input(f, 4))
    return Error{f.where, "sequence lengths", "sequences of one length",
                 "leave input 5 away where all have the full length"};
  if (has_input(f, 7)) return Error{f.where, "peephole weights", "none", ""};
  if (f.attrs.has("clip") || f.attrs.integer("input_forget", 0) != 0)
    return Error{f.where, f.attrs.has("clip") ? "attribute clip" : "input_forget 1", "neither", ""};
  if (const auto it = f.attrs.values.find("activations"); it != f.attrs.values.end())
    if (const auto* given = std::get_if<std::vector<std::string>>(&it->second))
      for (std::size_t i = 0; i < given->size(); ++i)
        if ((*given)[i] != activations[i % activations.size()])
          return Error{f.where, "activation " + (*given)[i],
                       activations[i % activations.size()] + ", the operator's own", ""};
  Attrs a;
  for (const char* name : {"hidden_size", "layout", "linear_before_reset"})
    if (f.attrs.has(name)) a.set(name, f.attrs.integer(name, 0));
  a.set("direction", f.attrs.text("direction", "forward"));
  return add_like(f, graph, op, f.inputs, std::move(a));
}

RecurrentWeights recurrent_weights(const EvalContext& c, const RecurrentPlan& p, std::int64_t gates,
                                   std::int64_t direction) {
  const std::int64_t rows = gates * p.hidden;
  const auto stored = [&](std::size_t i) { return c.view.constant(i) && !c.view.input(i).folded; };
  return {c.in[1]->as<float>().data() + direction * rows * p.in,
          c.in[2]->as<float>().data() + direction * rows * p.hidden,
          c.in.size() > 3 && c.in[3] ? c.in[3]->as<float>().data() + direction * 2 * rows : nullptr,
          stored(1), stored(2)};
}

void multiply(const FloatPolicy& policy, const RecurrentProduct& p) {
  if (policy.matrix)
    return policy.matrix({.m = p.rows,
                          .n = p.n,
                          .k = p.k,
                          .a = p.x,
                          .b = p.w,
                          .y = p.y,
                          .b_transposed = true,
                          .b_constant = p.stored,
                          .start = p.add});
  for (std::int64_t i = 0; i < p.rows; ++i)
    for (std::int64_t j = 0; j < p.n; ++j) {
      float sum = 0;
      for (std::int64_t k = 0; k < p.k; ++k) sum += p.w[j * p.k + k] * p.x[i * p.k + k];
      p.y[i * p.n + j] = p.add ? p.y[i * p.n + j] + sum : sum;
    }
}

namespace {

// One direction: states [batch, hidden] are read and left in h and cell.
void run_direction(EvalContext& c, const RecurrentPlan& p, std::int64_t d, const LstmLayer& layer,
                   std::vector<float>& h, std::vector<float>& cell) {
  const FloatPolicy& real = c.num.real;
  const std::int64_t rows = 4 * p.hidden;
  std::vector<float> from_x(static_cast<std::size_t>(p.steps * p.batch * rows)),
      sums(static_cast<std::size_t>(p.batch * rows));
  layer.from_x(p.steps * p.batch, c.in[0]->as<float>().data(), from_x.data());
  for (std::int64_t step = 0; step < p.steps; ++step) {
    const std::int64_t t = p.backward(d) ? p.steps - 1 - step : step;
    for (std::int64_t b = 0; b < p.batch; ++b)
      std::copy_n(from_x.data() + p.x_at(t, b) / p.in * rows, rows, sums.data() + b * rows);
    layer.add_from_state(p.batch, h.data(), sums.data());
    for (std::int64_t i = 0; i < p.batch * p.hidden; ++i) {
      const auto gate = [&](std::int64_t g) {  // i, o, f, c
        const std::int64_t at = g * p.hidden + i % p.hidden;
        const float sum = sums[static_cast<std::size_t>(i / p.hidden * rows + at)];
        return layer.bias ? sum + (layer.bias[at] + layer.bias[rows + at]) : sum;
      };
      float& state = cell[static_cast<std::size_t>(i)];
      const float kept = sigmoid_of(real, gate(2)) * state;
      state = kept + sigmoid_of(real, gate(0)) * tanh_of(real, gate(3));
      h[static_cast<std::size_t>(i)] = tanh_of(real, state) * sigmoid_of(real, gate(1));
    }
    recurrent_step(c, p, d, t, h);
  }
}

}  // namespace

void run_lstm(EvalContext& c, const RecurrentPlan& p,
              const std::function<LstmLayer(std::int64_t)>& layer_of) {
  for (std::int64_t d = 0; d < p.directions; ++d) {
    std::vector<float> h = recurrent_start(c, p, d, 5), cell = recurrent_start(c, p, d, 6);
    run_direction(c, p, d, layer_of(d), h, cell);
    recurrent_end(c, p, d, 1, h);
    recurrent_end(c, p, d, 2, cell);
  }
}

std::vector<float> recurrent_start(const EvalContext& c, const RecurrentPlan& p,
                                   std::int64_t direction, std::size_t state) {
  std::vector<float> to(static_cast<std::size_t>(p.batch * p.hidden), 0.0f);
  if (c.in.size() <= state || !c.in[state]) return to;
  for (std::int64_t b = 0; b < p.batch; ++b)
    std::copy_n(c.in[state]->as<float>().data() + p.state_at(direction, b), p.hidden,
                to.data() + b * p.hidden);
  return to;
}

void recurrent_end(EvalContext& c, const RecurrentPlan& p, std::int64_t direction,
                   std::size_t output, const std::vector<float>& state) {
  for (std::int64_t b = 0; is_wanted(c, output) && b < p.batch; ++b)
    std::copy_n(state.data() + b * p.hidden, p.hidden,
                c.out[output].as<float>().data() + p.state_at(direction, b));
}

void recurrent_step(EvalContext& c, const RecurrentPlan& p, std::int64_t direction, std::int64_t t,
                    const std::vector<float>& h) {
  for (std::int64_t b = 0; is_wanted(c, 0) && b < p.batch; ++b)
    std::copy_n(h.data() + b * p.hidden, p.hidden,
                c.out[0].as<float>().data() + p.y_at(t, direction, b));
}

}  // namespace lockstep
