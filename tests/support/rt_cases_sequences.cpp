// Problems of layers with a state.
#include <array>

#include "base/text.h"
#include "op/op.h"
#include "support/rt_cases_parts.h"

namespace lockstep::test {
namespace {

// A node of an LSTM as it grows, with contents for every input.
class Sequence {
 public:
  Sequence() : b_("case", "tflite") {}
  ValueId value(const std::string& name, DType t, Shape shape, QuantParams q) {
    Value v;
    v.name = name, v.dtype = t, v.shape = std::move(shape), v.quant = std::move(q);
    return b_.add_value(std::move(v));
  }
  void input(const std::string& name, Tensor t, QuantParams q, bool constant) {
    const ValueId id = value(name, t.dtype(), t.shape(), std::move(q));
    if (constant)
      b_.value(id).constant = std::make_shared<const Tensor>(t);
    else
      b_.add_input(id);
    node_.inputs.push_back(id), tensors_.push_back(std::move(t));
  }
  void absent() { node_.inputs.push_back(no_id), tensors_.emplace_back(); }
  void output(const std::string& name, DType t, Shape shape, QuantParams q) {
    node_.outputs.push_back(value(name, t, std::move(shape), std::move(q)));
    b_.add_output(node_.outputs.back());
  }
  Attrs& attrs() { return node_.attrs; }
  std::optional<KernelCase> finish(const std::string& op = "SequenceLstm") {
    node_.name = node_.op = op;
    b_.add_node(node_);
    auto graph = std::move(b_).finish();
    if (!graph.ok()) return {};
    KernelCase made{std::move(graph).value(), std::move(tensors_), ""};
    for (const Value& v : made.graph.values()) made.text += " " + v.name + shape_text(v.shape);
    return made;
  }

 private:
  GraphBuilder b_;
  Node node_;
  std::vector<Tensor> tensors_;
};

QuantParams step(double scale, std::int32_t zero = 0) {
  return {{static_cast<double>(static_cast<float>(scale))}, {zero}, -1};
}

Tensor from(CaseMaker& m, DType t, Shape shape, std::int64_t most) {
  Tensor out(t, std::move(shape));
  for (std::int64_t i = 0; i < out.count(); ++i) out.set_code(i, m.from(-most, most));
  return out;
}

struct Extents {
  std::int64_t batch, steps, in, cells, out;
  bool major, coupled, peepholes, projects;
};

Extents extents(CaseMaker& m) {
  Extents e{m.from(1, 3), m.from(1, 5), m.from(1, 40), m.from(1, 20), 0,
            m.coin(),     false,        false,         false};
  const auto form = m.from(0, 3);
  e.coupled = form == 1, e.peepholes = form == 2, e.projects = form == 3;
  e.out = e.projects ? m.from(1, 9) : e.cells;
  return e;
}

std::optional<KernelCase> on_codes(CaseMaker& m) {
  const Extents e = extents(m);
  Sequence s;
  const QuantParams xq = step(0.03, static_cast<std::int32_t>(m.from(-128, 127))),
                    hq = step(0.006, static_cast<std::int32_t>(m.from(-20, 20))),
                    cq{{1.0 / static_cast<double>(1 << m.from(9, 15))}, {0}, -1};
  s.input(
      "x",
      m.codes(DType::i8, e.major ? Shape{e.steps, e.batch, e.in} : Shape{e.batch, e.steps, e.in}),
      xq, false);
  for (const std::int64_t columns : {e.in, e.out})
    for (int g = 0; g < 4; ++g)
      if (g == 0 && e.coupled)
        s.absent();
      else
        s.input((columns == e.in && g < 4 ? "w" : "r") + std::to_string(g) + "_" +
                    std::to_string(columns),
                from(m, DType::i8, {e.cells, columns}, 127), step(m.scale() / 4), true);
  for (int g = 0; g < 3; ++g)
    if (e.peepholes)
      s.input("p" + std::to_string(g), from(m, DType::i16, {e.cells}, 32767), step(1e-4), true);
    else
      s.absent();
  for (int g = 0; g < 4; ++g)
    if (g == 0 && e.coupled)
      s.absent();
    else
      s.input("b" + std::to_string(g), from(m, DType::i32, {e.cells}, 3000), {}, true);
  if (e.projects) {
    s.input("projection", from(m, DType::i8, {e.out, e.cells}, 127), step(0.01), true);
    s.input("projection_bias", from(m, DType::i32, {e.out}, 3000), {}, true);
  } else {
    s.absent(), s.absent();
  }
  s.input("h", m.codes(DType::i8, {e.batch, e.out}), hq, false);
  s.input("c", from(m, DType::i16, {e.batch, e.cells}, 32767), cq, false);
  s.attrs().set("activation", std::string("tanh"));
  s.attrs().set("time_major", std::int64_t{e.major});
  s.attrs().set("hidden_scale", e.projects ? 0.007 : hq.scale[0]);
  s.attrs().set("hidden_zero", e.projects ? m.from(-30, 30) : std::int64_t{hq.zero[0]});
  if (m.coin())
    s.attrs().set("cell_clip", 0.7), s.attrs().set("projection_clip", e.projects ? 0.3 : 0.0);
  s.output("y", DType::i8,
           e.major ? Shape{e.steps, e.batch, e.out} : Shape{e.batch, e.steps, e.out}, hq);
  s.output("h_after", DType::i8, {e.batch, e.out}, hq);
  s.output("c_after", DType::i16, {e.batch, e.cells}, cq);
  return s.finish();
}

std::optional<KernelCase> on_reals(CaseMaker& m) {
  const Extents e = extents(m);
  Sequence s;
  s.input("x", m.reals(e.major ? Shape{e.steps, e.batch, e.in} : Shape{e.batch, e.steps, e.in}), {},
          false);
  const bool coded = m.coin();
  const auto some = [&](const std::string& name, Shape shape, bool there, bool codes = false) {
    if (!there)
      s.absent();
    else if (codes)
      s.input(name, from(m, DType::i8, shape, 127), step(0.001 * static_cast<double>(m.from(1, 9))),
              true);
    else
      s.input(name, m.reals(std::move(shape)), {}, true);
  };
  for (int g = 0; g < 4; ++g)
    some("w" + std::to_string(g), {e.cells, e.in}, g > 0 || !e.coupled, coded);
  for (int g = 0; g < 4; ++g)
    some("r" + std::to_string(g), {e.cells, e.out}, g > 0 || !e.coupled, coded);
  for (int g = 0; g < 3; ++g)
    some("p" + std::to_string(g), {e.cells}, e.peepholes, coded && m.coin());
  for (int g = 0; g < 4; ++g) some("b" + std::to_string(g), {e.cells}, g > 0 || !e.coupled);
  some("projection", {e.out, e.cells}, e.projects, coded);
  some("projection_bias", {e.out}, e.projects);
  if (coded) s.attrs().set("asymmetric", m.from(0, 1));
  s.input("h", m.reals({e.batch, e.out}), {}, false);
  s.input("c", m.reals({e.batch, e.cells}), {}, false);
  s.attrs().set("activation", std::string(m.coin() ? "relu" : "none"));
  s.attrs().set("time_major", std::int64_t{e.major});
  if (m.coin())
    s.attrs().set("cell_clip", 0.7), s.attrs().set("projection_clip", e.projects ? 0.3 : 0.0);
  s.output("y", DType::f32,
           e.major ? Shape{e.steps, e.batch, e.out} : Shape{e.batch, e.steps, e.out}, {});
  s.output("h_after", DType::f32, {e.batch, e.out}, {});
  s.output("c_after", DType::f32, {e.batch, e.cells}, {});
  return s.finish();
}

// TFLite's LSTM in all its forms, on codes or on reals, states given; three outputs.
std::optional<KernelCase> sequence_lstm_case(CaseMaker& m) {
  return m.from(0, 3) == 0 ? on_reals(m) : on_codes(m);
}

// TFLite's RNN on reals under weights that are reals or codes; a matrix x is one step.
std::optional<KernelCase> sequence_rnn_case(CaseMaker& m) {
  const std::int64_t batch = m.from(1, 3), steps = m.from(1, 5), in = m.from(1, 40),
                     units = m.from(1, 20);
  const bool major = m.coin(), coded = m.coin();
  Shape x = major ? Shape{steps, batch, in} : Shape{batch, steps, in};
  if (m.from(0, 3) == 0) x = {batch, in};
  Shape y = x;
  y.back() = units;
  Sequence s;
  s.input("x", m.reals(x), {}, false);
  const auto weights = [&](const char* name, std::int64_t columns) {
    if (coded)
      s.input(name, from(m, DType::i8, {units, columns}, 127),
              step(0.001 * static_cast<double>(m.from(1, 9))), true);
    else
      s.input(name, m.reals({units, columns}), {}, true);
  };
  weights("w", in), weights("r", units);
  s.input("b", m.reals({units}), {}, true);
  s.input("h", m.reals({batch, units}), {}, false);
  static constexpr std::array activations{"none", "relu", "relu6", "tanh"};
  s.attrs().set("activation", one_of(m, activations));
  s.attrs().set("time_major", std::int64_t{major});
  s.attrs().set("asymmetric", m.from(0, 1));
  s.output("y", DType::f32, y, {});
  s.output("h_after", DType::f32, {batch, units}, {});
  return s.finish("SequenceRnn");
}

constexpr RtSource sources[] = {
    {"rnn", [](CaseMaker& m) { return recurrent_case(m, "RNN"); }},
    {"sequence_rnn", sequence_rnn_case},
    {"computed_gru", [](CaseMaker& m) { return recurrent_case(m, "GRU", false); }},
    {"computed_lstm", [](CaseMaker& m) { return recurrent_case(m, "LSTM", false); }},
    {"computed_rnn", [](CaseMaker& m) { return recurrent_case(m, "RNN", false); }},
    {"gru", [](CaseMaker& m) { return recurrent_case(m, "GRU"); }},
    {"lstm", [](CaseMaker& m) { return recurrent_case(m, "LSTM"); }},
    {"sequence_lstm", sequence_lstm_case, 2},
};

}  // namespace

std::span<const RtSource> rt_sequences() {
  return sources;
}

}  // namespace lockstep::test
