// For each step: h' = act(W x + R h + b), y = h'; a matrix x is one step.
#include <algorithm>

#include "base/text.h"
#include "num/tflite_policies.h"
#include "op/op_codes.h"
#include "op/op_hybrid.h"
#include "op/op_state.h"

namespace lockstep {
namespace {

enum : std::size_t { x_at = 0, w_at = 1, r_at = 2, b_at = 3, h_at = 4 };

constexpr Slot inputs[] = {{"x"}, {"w"}, {"r"}, {"b"}, {"h"}};
constexpr Slot outputs[] = {{"y"}, {"h_after"}};
constexpr AttrSpec attrs[] = {
    {"activation", "none", "of each step"},
    {"time_major", "0", "1: the first axis of x is time, 0: the batch"},
    {"asymmetric", "0", "float x under weights in codes: 1: rows are coded with a zero point"},
};
constexpr Rule rules[] = {
    {"every operand is float32, but both weights may be int8 codes of one scale each",
     [](const NodeView& n) {
       for (std::size_t i = 0; i < n.input_count(); ++i)
         if (n.input(i).dtype != DType::f32 && i != w_at && i != r_at) return false;
       const auto fits = [&](std::size_t i) {
         return n.input(i).dtype == DType::f32 ||
                (n.input(i).dtype == DType::i8 && n.input(i).quant.scale.size() == 1);
       };
       return fits(w_at) && fits(r_at) && n.input(w_at).dtype == n.input(r_at).dtype;
     }},
};

struct Sizes {
  std::int64_t batch, steps, in, units;
  bool time_major;
  Shape y;
};

Result<Sizes> sizes_of(const NodeView& n) {
  const Shape &x = n.input(x_at).shape, &w = n.input(w_at).shape, &r = n.input(r_at).shape;
  if ((x.size() != 3 && x.size() != 2) || w.size() != 2 || w[1] != x.back() ||
      r != Shape{w[0], w[0]} || count_of(n.input(b_at).shape) != w[0])
    return Error{n.where(),
                 "x " + shape_text(x) + ", weights " + shape_text(w) + " and " + shape_text(r),
                 "[batch,time,in] or [batch,in], [units,in], [units,units]", ""};
  const bool major = n.attrs().integer("time_major", 0) != 0 && x.size() == 3;
  Sizes s{major ? x[1] : x[0], x.size() == 2 ? 1 : major ? x[0] : x[1], x.back(), w[0], major, x};
  s.y.back() = s.units;
  if (count_of(n.input(h_at).shape) != s.batch * s.units)
    return Error{n.where(), "a state " + shape_text(n.input(h_at).shape), "[batch,units]", ""};
  return s;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Sizes s, sizes_of(n));
  return std::vector<Facts>{{DType::f32, s.y, {}}, {DType::f32, n.input(h_at).shape, {}}};
}

float dot(const EvalContext& c, const float* a, const float* b, std::int64_t k) {
  if (c.num.real.dot) return c.num.real.dot(a, 1, b, 1, k, 0.f);
  float sum = 0;
  for (std::int64_t i = 0; i < k; ++i) sum += a[i] * b[i];
  return sum;
}

// out[k] += W[k] v
void add_products(const EvalContext& c, std::size_t weights, std::span<const float> v,
                  std::vector<float>& out) {
  const auto size = static_cast<std::int64_t>(v.size());
  if (c.in[weights]->dtype() == DType::f32) {
    for (std::size_t k = 0; k < out.size(); ++k)
      out[k] += dot(c, c.in[weights]->as<float>().data() + k * v.size(), v.data(), size);
    return;
  }
  const HybridRow row = hybrid_row(tflite_hybrid, v, c.view.attrs().integer("asymmetric", 0) != 0);
  const auto scale = static_cast<float>(c.view.input(weights).quant.scale_at(0));
  for (std::size_t k = 0; k < out.size(); ++k)
    out[k] += hybrid_product(row, c.in[weights]->as<std::int8_t>().data() + k * v.size(), scale);
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Sizes s, sizes_of(c.view));
  const Activation act = activation_of(c.view);
  const auto data = [&](std::size_t i) { return c.in[i]->as<float>().data(); };
  if (c.in[w_at]->dtype() != DType::f32 && !c.num.hybrid)
    return no_policy(c.view, "SequenceRnn of float activations and coded weights");
  c.out[1] = *c.in[h_at];
  std::vector<float> next(static_cast<std::size_t>(s.units));
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t t = 0; t < s.steps; ++t) {
      const std::int64_t at = s.time_major ? t * s.batch + b : b * s.steps + t;
      float* const h = c.out[1].as<float>().data() + b * s.units;
      std::copy_n(data(b_at), s.units, next.begin());
      add_products(c, w_at, std::span(data(x_at) + at * s.in, static_cast<std::size_t>(s.in)),
                   next);
      add_products(c, r_at, std::span<const float>(h, next.size()), next);
      for (float& v : next) v = activate(act, v);
      std::copy(next.begin(), next.end(), h);
      std::copy(next.begin(), next.end(), c.out[0].as<float>().data() + at * s.units);
    }
  return {};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  if (f.inputs.size() != 5)
    return foreign_error(f, std::to_string(f.inputs.size()) + " inputs",
                         "input, weights, recurrent weights, bias and state");
  Node node = node_from(f, "SequenceRnn");
  LOCKSTEP_TRY(node.inputs[h_at], make_state(f, graph, h_at));
  node.outputs.push_back(f.inputs[h_at]);
  if (f.attrs.integer("time_major", 0) != 0) node.attrs.set("time_major", std::int64_t{1});
  if (f.attrs.integer("asymmetric_inputs", 0) != 0) node.attrs.set("asymmetric", std::int64_t{1});
  LOCKSTEP_CHECK(read_activation(f, node.attrs));
  graph.add_node(std::move(node));
  return {};
}

constexpr Foreign from[] = {{Format::tflite, "UNIDIRECTIONAL_SEQUENCE_RNN", from_tflite},
                            {Format::tflite, "RNN", from_tflite}};

}  // namespace

extern constinit const OpDef op_sequence_rnn = {
    .name = "SequenceRnn",
    .meaning = "h' = act(W x + R h + b), y = h', step by step",
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
