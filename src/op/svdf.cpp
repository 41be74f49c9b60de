// state'[f] = state[f] shifted by one, newest entry sum_i x[i] * w[f,i];
// y[u] = act(bias[u] + sum_{r,t} state'[u*rank + r, t] * v[u*rank + r, t]); on codes N70.
#include <algorithm>

#include "base/text.h"
#include "num/tflite_policies.h"
#include "op/op_codes.h"
#include "op/op_state.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"w"}, {"v"}, {"bias", Slot::optional}, {"state"}};
constexpr Slot outputs[] = {{"y"}, {"state_after"}};
constexpr AttrSpec attrs[] = {
    {"rank", "1", "filters that are summed into one unit"},
    {"activation", "none", "fused activation"},
    {"asymmetric", "0", "float x under w in codes: 1 codes the rows with a zero point"},
};

struct Sizes {
  std::int64_t batch, in, filters, memory, rank, units;
};

Result<Sizes> sizes_of(const NodeView& n) {
  const Shape &x = n.input(0).shape, &w = n.input(1).shape, &v = n.input(2).shape,
              &state = n.input(4).shape;
  const std::int64_t rank = n.attrs().integer("rank", 1);
  if (x.size() != 2 || w.size() != 2 || v.size() != 2 || rank < 1 || w[1] != x[1] || v[0] != w[0] ||
      w[0] % rank != 0 || count_of(state) != x[0] * v[0] * v[1] ||
      (n.has_input(3) && count_of(n.input(3).shape) != w[0] / rank))
    return Error{n.where(),
                 "x " + shape_text(x) + ", w " + shape_text(w) + ", v " + shape_text(v) +
                     ", state " + shape_text(state),
                 "[batch,in], [filters,in], [filters,memory], [batch,memory*filters], filters a "
                 "multiple of rank",
                 ""};
  return Sizes{x[0], x[1], w[0], v[1], rank, w[0] / rank};
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Sizes s, sizes_of(n));
  return std::vector<Facts>{{code_type(n), {s.batch, s.units}, {}},
                            {n.input(4).dtype, n.input(4).shape, n.input(4).quant}};
}

// The whole state moves one entry down; the newest of each filter is written afterwards.
template <class T>
void shift(const Tensor& before, Tensor& after) {
  const auto in = before.as<T>();
  const auto out = after.as<T>();
  std::copy(in.begin() + 1, in.end(), out.begin());
  out.back() = in.back();
}

Result<void> eval_codes(EvalContext& c, const Sizes& s) {
  if (!c.num.state) return no_policy(c.view, "Svdf");
  const auto q = [&](std::size_t i) -> const QuantParams& { return c.view.input(i).quant; };
  const QuantParams& yq = c.view.output(0).quant;
  const Rescale into = c.num.state->prepare(q(0).scale_at(0), q(1).scale_at(0), q(4).scale_at(0));
  const Rescale out = c.num.state->prepare(q(4).scale_at(0), q(2).scale_at(0), yq.scale_at(0));
  with_type(c.in[4]->dtype(), [&](auto type) { shift<decltype(type)>(*c.in[4], c.out[1]); });
  const auto x = centred_codes(*c.in[0], q(0).zero_at(0)), w = centred_codes(*c.in[1], 0),
             v = centred_codes(*c.in[2], 0);
  const CodeRange kept = code_range(c.in[4]->dtype());
  const std::int32_t zero = q(4).zero_at(0);
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t f = 0; f < s.filters; ++f) {
      std::int64_t sum = 0;
      for (std::int64_t i = 0; i < s.in; ++i)
        sum += std::int64_t{x[static_cast<std::size_t>(b * s.in + i)]} *
               w[static_cast<std::size_t>(f * s.in + i)];
      const std::int32_t scaled = c.num.state->apply(static_cast<std::int32_t>(sum), into);
      const std::int32_t newest = clamp_code(scaled, static_cast<std::int32_t>(kept.low),
                                             static_cast<std::int32_t>(kept.high));
      store_code(c.out[1], (b * s.filters + f) * s.memory + s.memory - 1, newest + zero);
    }
  const auto state = centred_codes(c.out[1], zero);
  const CodeRange range = code_range(c.out[0].dtype());
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t u = 0; u < s.units; ++u) {
      std::int64_t sum = c.in[3] ? c.in[3]->code(u) : 0;
      for (std::int64_t k = u * s.rank * s.memory; k < (u + 1) * s.rank * s.memory; ++k)
        sum += std::int64_t{v[static_cast<std::size_t>(k)]} *
               state[static_cast<std::size_t>(b * s.filters * s.memory + k)];
      const std::int64_t code =
          std::int64_t{c.num.state->apply(static_cast<std::int32_t>(sum), out)} + yq.zero_at(0);
      store_code(c.out[0], b * s.units + u,
                 clamp_code(code, static_cast<std::int32_t>(range.low),
                            static_cast<std::int32_t>(range.high)));
    }
  return {};
}

// What enters the state: float weights, or weights in codes under a row coded on the fly (N69).
Result<std::vector<float>> newest_reals(EvalContext& c, const Sizes& s) {
  const auto x = c.in[0]->as<float>();
  std::vector<float> newest(static_cast<std::size_t>(s.batch * s.filters), 0.f);
  const auto in = static_cast<std::size_t>(s.in);
  if (c.in[1]->dtype() == DType::f32) {
    const auto w = c.in[1]->as<float>();
    for (std::size_t k = 0; k < newest.size(); ++k) {
      const std::size_t b = k / static_cast<std::size_t>(s.filters),
                        f = k % static_cast<std::size_t>(s.filters);
      float sum = 0;
      for (std::size_t i = 0; i < in; ++i) sum += x[b * in + i] * w[f * in + i];
      newest[k] = sum;
    }
    return newest;
  }
  if (!c.num.hybrid) return no_policy(c.view, "Svdf of float activations and coded weights");
  if (std::ranges::all_of(x, [](float v) { return v == 0; })) return newest;
  const auto w = centred_codes(*c.in[1], 0);
  std::vector<std::int8_t> codes(in);
  for (std::size_t b = 0; b < static_cast<std::size_t>(s.batch); ++b) {
    float scale = 0;
    std::int32_t zero = 0;
    if (c.view.attrs().integer("asymmetric", 0) != 0)
      tflite_hybrid.asymmetric(x.subspan(b * in, in), codes, scale, zero);
    else
      tflite_hybrid.symmetric(x.subspan(b * in, in), codes, scale);
    scale *= static_cast<float>(c.view.input(1).quant.scale_at(0));
    for (std::size_t f = 0; f < static_cast<std::size_t>(s.filters); ++f) {
      std::int32_t sum = 0;
      for (std::size_t i = 0; i < in; ++i) sum += (codes[i] - zero) * w[f * in + i];
      newest[b * static_cast<std::size_t>(s.filters) + f] = static_cast<float>(sum) * scale;
    }
  }
  return newest;
}

Result<void> eval_float(EvalContext& c, const Sizes& s) {
  LOCKSTEP_TRY(const std::vector<float> newest, newest_reals(c, s));
  shift<float>(*c.in[4], c.out[1]);
  const auto state = c.out[1].as<float>();
  for (std::size_t k = 0; k < newest.size(); ++k)
    state[(k + 1) * static_cast<std::size_t>(s.memory) - 1] = newest[k];
  std::vector<float> v;
  if (c.in[2]->dtype() == DType::f32)
    v.assign(c.in[2]->as<float>().begin(), c.in[2]->as<float>().end());
  else
    for (const std::int32_t code : centred_codes(*c.in[2], 0))
      v.push_back(static_cast<float>(code) * static_cast<float>(c.view.input(2).quant.scale_at(0)));
  const Activation act = activation_of(c.view);
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t u = 0; u < s.units; ++u) {
      float sum = 0;
      for (std::int64_t f = u * s.rank; f < (u + 1) * s.rank; ++f) {
        float filter = 0;
        for (std::int64_t t = f * s.memory; t < (f + 1) * s.memory; ++t)
          filter += v[static_cast<std::size_t>(t)] *
                    state[static_cast<std::size_t>(b * s.filters * s.memory + t)];
        sum += filter;
      }
      if (c.in[3]) sum += c.in[3]->as<float>()[static_cast<std::size_t>(u)];
      c.out[0].as<float>()[static_cast<std::size_t>(b * s.units + u)] = activate(act, sum);
    }
  return {};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Sizes s, sizes_of(c.view));
  if (s.memory < 1 || s.batch < 1 || s.filters < 1)
    return Error{c.view.where(), "an empty state", "at least one entry", ""};
  if (is_code(c.view.input(0)) && is_code(c.view.output(0))) return eval_codes(c, s);
  if (c.in[0]->dtype() == DType::f32 && c.in[4]->dtype() == DType::f32) return eval_float(c, s);
  return Error{c.view.where(), "x of type " + std::string(name_of(c.in[0]->dtype())),
               "float32 or codes", ""};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Node node = node_from(f, "Svdf");
  LOCKSTEP_TRY(const ValueId before, make_state(f, graph, 4));
  node.inputs[4] = before;
  node.outputs.push_back(f.inputs[4]);
  node.attrs.set("rank", f.attrs.integer("rank", 0));
  if (f.attrs.integer("asymmetric_inputs", 0) != 0) node.attrs.set("asymmetric", std::int64_t{1});
  LOCKSTEP_CHECK(read_activation(f, node.attrs));
  graph.add_node(std::move(node));
  return {};
}

constexpr Foreign from[] = {{Format::tflite, "SVDF", from_tflite}};

}  // namespace

extern constinit const OpDef op_svdf = {
    .name = "Svdf",
    .meaning = "y = act(bias + sum over rank and time of state * v), the state fed by x * w",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
