// For each step: i, f, o = sigmoid(W x + R h + p * c + b), g = act(W x + R h + b);
// c' = f * c + i * g; h' = P (o * act(c')) + pb, or o * act(c') without projection.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "num/tflite_policies.h"
#include "op/op_codes.h"
#include "op/op_hybrid.h"
#include "op/op_lstm_codes.h"
#include "op/op_state.h"

namespace lockstep {
namespace {

// Slots as TFLite numbers them: four input weights, four recurrent ones, three peepholes, four
// biases (each in the order input, forget, cell, output), projection with its bias, the two states.
enum : std::size_t {
  x_at = 0,
  w_at = 1,
  r_at = 5,
  peephole_at = 9,
  bias_at = 12,
  projection_at = 16,
  h_at = 18,
  c_at = 19
};

constexpr Slot inputs[] = {{"x"},
                           {"w_input", Slot::optional},
                           {"w_forget"},
                           {"w_cell"},
                           {"w_output"},
                           {"r_input", Slot::optional},
                           {"r_forget"},
                           {"r_cell"},
                           {"r_output"},
                           {"p_input", Slot::optional},
                           {"p_forget", Slot::optional},
                           {"p_output", Slot::optional},
                           {"b_input", Slot::optional},
                           {"b_forget"},
                           {"b_cell"},
                           {"b_output"},
                           {"projection", Slot::optional},
                           {"projection_bias", Slot::optional},
                           {"h"},
                           {"c"}};
constexpr Slot outputs[] = {{"y"}, {"h_after"}, {"c_after"}};
constexpr AttrSpec attrs[] = {
    {"activation", "tanh", "of the cell's input and output"},
    {"cell_clip", "0", "bound of |c'|, 0: none"},
    {"projection_clip", "0", "bound of |h'| after projection, 0: none"},
    {"time_major", "0", "1: the first axis of x is time, 0: the batch"},
    {"hidden_scale", "1", "on codes: the step of o * act(c') before a projection"},
    {"hidden_zero", "0", "on codes: its zero point"},
    {"asymmetric", "0", "float x under weights in codes: 1: rows are coded with a zero point"},
};
constexpr Rule rules[] = {
    {"input weights, recurrent weights and bias of the input gate are all there or all absent "
     "(coupled to the forget gate)",
     [](const NodeView& n) {
       return n.has_input(w_at) == n.has_input(r_at) && n.has_input(w_at) == n.has_input(bias_at);
     }},
};

using Sizes = LstmSizes;

Result<Sizes> sizes_of(const NodeView& n) {
  const Shape &x = n.input(x_at).shape, &w = n.input(w_at + 1).shape, &r = n.input(r_at + 1).shape;
  const bool time_major = n.attrs().integer("time_major", 0) != 0;
  if (x.size() != 3 || w.size() != 2 || r.size() != 2 || w[1] != x[2] || r[0] != w[0])
    return Error{n.where(),
                 "x " + shape_text(x) + ", weights " + shape_text(w) + " and " + shape_text(r),
                 "[batch,time,in], [cells,in], [cells,out]", ""};
  Sizes s{time_major ? x[1] : x[0], time_major ? x[0] : x[1], x[2], w[0], r[1], time_major};
  for (std::size_t g = 0; g < 4; ++g) {
    if (n.has_input(w_at + g) && (n.input(w_at + g).shape != w || n.input(r_at + g).shape != r ||
                                  count_of(n.input(bias_at + g).shape) != s.cells))
      return Error{n.where(), "gates of different sizes", "four gates alike", ""};
    if (g < 3 && n.has_input(peephole_at + g) &&
        count_of(n.input(peephole_at + g).shape) != s.cells)
      return Error{n.where(), "a peephole of shape " + shape_text(n.input(peephole_at + g).shape),
                   std::to_string(s.cells) + " elements", ""};
  }
  if (n.has_input(projection_at) ? n.input(projection_at).shape != Shape{s.out, s.cells}
                                 : s.out != s.cells)
    return Error{n.where(),
                 std::to_string(s.cells) + " cells and " + std::to_string(s.out) + " outputs",
                 "as many, or a projection", ""};
  if (count_of(n.input(h_at).shape) != s.batch * s.out ||
      count_of(n.input(c_at).shape) != s.batch * s.cells)
    return Error{
        n.where(),
        "states " + shape_text(n.input(h_at).shape) + " and " + shape_text(n.input(c_at).shape),
        "[batch,out] and [batch,cells]", ""};
  return s;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Sizes s, sizes_of(n));
  const bool codes = is_code(n.input(x_at));
  if (codes) LOCKSTEP_CHECK(check_lstm_codes(n));
  const Shape y = s.time_major ? Shape{s.steps, s.batch, s.out} : Shape{s.batch, s.steps, s.out};
  const auto state = [&](std::size_t i) {
    return Facts{n.input(i).dtype, n.input(i).shape, codes ? n.input(i).quant : QuantParams{}};
  };
  return std::vector<Facts>{{codes ? DType::i8 : DType::f32, y, {}}, state(h_at), state(c_at)};
}

struct Step {
  EvalContext& c;
  const Sizes& s;
  const float* x;
  float* h;
  float* cell;

  const float* data(std::size_t i) const {
    return i < c.in.size() && c.in[i] ? c.in[i]->as<float>().data() : nullptr;
  }
  // A vector as the weights want it: as it is, or coded.
  struct Row {
    const float* reals;
    std::int64_t size;
    HybridRow coded;
  };
  Row row(const float* v, std::int64_t size, std::size_t weights) const {
    Row r{v, size, {}};
    if (c.in[weights]->dtype() == DType::i8)
      r.coded = hybrid_row(tflite_hybrid, std::span(v, static_cast<std::size_t>(size)),
                           c.view.attrs().integer("asymmetric", 0) != 0);
    return r;
  }
  // Row k of the weights by a vector.
  float product(std::size_t weights, std::int64_t k, const Row& v) const {
    if (c.in[weights]->dtype() == DType::i8)
      return hybrid_product(v.coded, c.in[weights]->as<std::int8_t>().data() + k * v.size,
                            static_cast<float>(c.view.input(weights).quant.scale_at(0)));
    const float* const w = data(weights) + k * v.size;
    if (c.num.real.dot) return c.num.real.dot(w, 1, v.reals, 1, v.size, 0.f);
    float sum = 0;
    for (std::int64_t i = 0; i < v.size; ++i) sum += w[i] * v.reals[i];
    return sum;
  }
  float peephole(std::size_t at, std::int64_t k) const {
    if (c.in[at]->dtype() == DType::f32) return data(at)[k];
    return static_cast<float>(c.in[at]->code(k)) *
           static_cast<float>(c.view.input(at).quant.scale_at(0));
  }
  // bias + W x + R h + p * c of one gate; `diagonal` is the peephole's slot, 0: none
  std::vector<float> gate(std::size_t g, std::size_t diagonal) const {
    std::vector<float> out(static_cast<std::size_t>(s.cells));
    const Row now = row(x, s.in, w_at + g), before = row(h, s.out, r_at + g);
    const bool peeps = diagonal != 0 && c.in[diagonal];
    for (std::int64_t k = 0; k < s.cells; ++k) {
      float v = data(bias_at + g)[k];
      v += product(w_at + g, k, now);
      v += product(r_at + g, k, before);
      if (peeps) v += cell[k] * peephole(diagonal, k);
      out[static_cast<std::size_t>(k)] = v;
    }
    return out;
  }
  void sigmoid(std::vector<float>& v) const {
    for (float& e : v) e = c.num.real.sigmoid ? c.num.real.sigmoid(e) : 1.f / (1.f + std::exp(-e));
  }
};

float clipped(float v, float bound) {
  return bound > 0 ? std::min(std::max(v, -bound), bound) : v;
}

void step(const Step& t, float* y) {
  const Sizes& s = t.s;
  const Activation act = activation_named(t.c.view.attrs().text("activation", "tanh"));
  const auto cell_clip = static_cast<float>(t.c.view.attrs().real("cell_clip", 0));
  const bool coupled = !t.c.in[w_at];
  auto forget = t.gate(1, peephole_at + 1);
  auto cell_gate = t.gate(2, 0);
  t.sigmoid(forget);
  for (float& v : cell_gate) v = activate(act, v);
  std::vector<float> input;
  if (!coupled) {
    input = t.gate(0, peephole_at);
    t.sigmoid(input);
  }
  for (std::size_t k = 0; k < forget.size(); ++k) {
    const float kept = forget[k] * t.cell[k];
    const float fresh = coupled ? cell_gate[k] * (1.f - forget[k]) : cell_gate[k] * input[k];
    t.cell[k] = clipped(kept + fresh, cell_clip);
  }
  auto out = t.gate(3, peephole_at + 2);
  t.sigmoid(out);
  for (std::size_t k = 0; k < out.size(); ++k) out[k] *= activate(act, t.cell[k]);
  const bool projects = t.c.in[projection_at] != nullptr;
  const Step::Row hidden = projects ? t.row(out.data(), s.cells, projection_at) : Step::Row{};
  const auto clip = static_cast<float>(t.c.view.attrs().real("projection_clip", 0));
  for (std::int64_t o = 0; o < s.out; ++o) {
    float v = out[static_cast<std::size_t>(o % s.cells)];
    if (projects) {
      v = t.data(projection_at + 1) ? t.data(projection_at + 1)[o] : 0.f;
      v = clipped(v + t.product(projection_at, o, hidden), clip);
    }
    t.h[o] = y[o] = v;
  }
}

// Float32 throughout, but weights and peepholes may be int8 codes.
Result<void> check_types(const EvalContext& c) {
  bool coded = false;
  for (std::size_t i = 0; i < c.in.size(); ++i) {
    const Tensor* const t = c.in[i];
    if (!t || t->dtype() == DType::f32) continue;
    const bool may = (i >= w_at && i < bias_at) || i == projection_at;
    if (!may || t->dtype() != DType::i8 || c.view.input(i).quant.scale.size() != 1)
      return Error{
          c.view.where(), "an operand of type " + std::string(name_of(t->dtype())),
          "float32 throughout, codes throughout, or float32 under int8 weights of one scale", ""};
    coded = true;
  }
  if (coded && !c.num.hybrid)
    return no_policy(c.view, "SequenceLstm of float activations and coded weights");
  return {};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Sizes s, sizes_of(c.view));
  if (is_code(c.view.input(x_at))) return eval_lstm_codes(c, s);
  LOCKSTEP_CHECK(check_types(c));
  c.out[1] = *c.in[h_at];
  c.out[2] = *c.in[c_at];
  const float* const x = c.in[x_at]->as<float>().data();
  float* const y = c.out[0].as<float>().data();
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t t = 0; t < s.steps; ++t) {
      const std::int64_t at = s.time_major ? t * s.batch + b : b * s.steps + t;
      step({c, s, x + at * s.in, c.out[1].as<float>().data() + b * s.out,
            c.out[2].as<float>().data() + b * s.cells},
           y + at * s.out);
    }
  return {};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  for (std::size_t i = 20; i < f.inputs.size(); ++i)
    if (f.inputs[i] != no_id)
      return foreign_error(f, "layer normalization (input " + std::to_string(i) + ")",
                           "an LSTM without it");
  if (f.attrs.integer("diagonal_recurrent_tensors", 0) != 0)
    return foreign_error(f, "diagonal recurrent weights", "full ones");
  if (f.inputs.size() < 20)
    return foreign_error(f, std::to_string(f.inputs.size()) + " inputs", "20 or 24");
  Node node = node_from(f, "SequenceLstm");
  node.inputs.resize(20);
  for (const std::size_t i : {h_at, c_at}) {
    LOCKSTEP_TRY(node.inputs[i], make_state(f, graph, i));
    node.outputs.push_back(f.inputs[i]);
  }
  node.attrs.set("cell_clip", f.attrs.real("cell_clip", 0));
  node.attrs.set("projection_clip", f.attrs.real("proj_clip", 0));
  if (f.attrs.integer("time_major", 0) != 0) node.attrs.set("time_major", std::int64_t{1});
  if (const auto scales = f.attrs.reals("intermediate_scales"); scales.size() == 5) {
    node.attrs.set("hidden_scale", scales[4]);
    node.attrs.set("hidden_zero", f.attrs.integers("intermediate_zeros")[4]);
  } else if (is_code(graph.value(f.inputs[x_at]))) {
    return foreign_error(f, std::to_string(scales.size()) + " intermediates",
                         "5, as an LSTM on codes has");
  }
  if (f.attrs.integer("asymmetric_inputs", 0) != 0) node.attrs.set("asymmetric", std::int64_t{1});
  node.attrs.set("activation", std::string("none"));
  LOCKSTEP_CHECK(read_activation(f, node.attrs));
  graph.add_node(std::move(node));
  return {};
}

constexpr Foreign from[] = {{Format::tflite, "UNIDIRECTIONAL_SEQUENCE_LSTM", from_tflite}};

}  // namespace

extern constinit const OpDef op_sequence_lstm = {
    .name = "SequenceLstm",
    .meaning = "c' = f * c + i * g, h' = o * act(c'), gates of x and h by sigmoid, step by step",
    .exact = Exactness::rounding,
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
