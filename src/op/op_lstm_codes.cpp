#include "op/op_lstm_codes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "num/lstm.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

using Gate = LstmCodes::Gate;
constexpr std::size_t x_at = 0, w_at = 1, r_at = 5, peephole_at = 9, bias_at = 12,
                      projection_at = 16, h_at = 18, c_at = 19;

float scale_of(const NodeView& n, std::size_t i) {
  return static_cast<float>(n.input(i).quant.scale_at(0));
}

// e of a scale 2^e; nothing for other scales.
std::optional<int> power_of_two(double scale) {
  int exponent = 0;
  if (std::frexp(scale, &exponent) != 0.5) return std::nullopt;
  return exponent - 1;
}

// sum over a row of w, times `factor`, plus the bias: what the zero point of the other operand
// adds.
std::vector<std::int32_t> offsets(const Tensor& w, std::int32_t factor, const Tensor* bias) {
  const auto rows = static_cast<std::size_t>(w.shape()[0]),
             columns = static_cast<std::size_t>(w.shape()[1]);
  const auto codes = w.as<std::int8_t>();
  std::vector<std::int32_t> out(rows, 0);
  for (std::size_t k = 0; k < rows; ++k) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < columns; ++i) sum += codes[k * columns + i];
    out[k] = sum * factor + (bias ? bias->as<std::int32_t>()[k] : 0);
  }
  return out;
}

std::int32_t dot(const std::int8_t* a, const std::int8_t* b, std::int64_t count) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += std::int32_t{a[i]} * b[i];
  return sum;
}

LstmCodes::Weights weights_of(const NodeView& n, std::span<const Tensor* const> in,
                              const LstmPolicy& p, Gate g, int cell_power) {
  constexpr float q3_12 = 1.f / 4096;
  LstmCodes::Weights out;
  out.w = in[w_at + g]->as<std::int8_t>().data();
  out.r = in[r_at + g]->as<std::int8_t>().data();
  out.from_x = offsets(*in[w_at + g], -n.input(x_at).quant.zero_at(0), in[bias_at + g]);
  out.from_h = offsets(*in[r_at + g], -n.input(h_at).quant.zero_at(0), nullptr);
  out.x_scale = p.multiplier(scale_of(n, w_at + g) * scale_of(n, x_at) / q3_12);
  out.h_scale = p.multiplier(scale_of(n, r_at + g) * scale_of(n, h_at) / q3_12);
  const std::size_t at =
      peephole_at + (g == LstmCodes::output_gate ? std::size_t{2} : std::size_t{g});
  if (g != LstmCodes::cell_gate && n.has_input(at)) {
    out.peephole = in[at]->as<std::int16_t>().data();
    out.peephole_scale =
        p.multiplier(static_cast<float>(std::ldexp(double{scale_of(n, at)}, cell_power) / q3_12));
  }
  return out;
}

int clip(double bound, float scale, float most) {
  return bound > 0 ? static_cast<int>(std::min(static_cast<float>(bound) / scale, most)) : 0;
}

// The steps of one run.
class Steps {
 public:
  Steps(EvalContext& c, const LstmSizes& s)
      : m_(c.view, c.in, *c.num.lstm), s_(s), p_(*c.num.lstm) {}

  void step(const std::int8_t* x, std::int8_t* h, std::int16_t* cell, std::int8_t* y) const {
    const auto forget = gate(LstmCodes::forget_gate, x, h, cell),
               fresh = gate(LstmCodes::cell_gate, x, h, cell);
    const auto input =
        m_.coupled ? std::vector<std::int16_t>{} : gate(LstmCodes::input_gate, x, h, cell);
    for (std::size_t k = 0; k < forget.size(); ++k) {
      const std::int16_t kept = p_.product(forget[k], cell[k], 15);
      const std::int16_t let = m_.coupled ? p_.complement(forget[k]) : input[k];
      cell[k] = p_.sum(kept, p_.product(let, fresh[k], 30 + m_.cell_power));
      if (m_.cell_clip > 0)
        cell[k] = static_cast<std::int16_t>(std::clamp<int>(cell[k], -m_.cell_clip, m_.cell_clip));
    }
    emit(gate(LstmCodes::output_gate, x, h, cell), cell, h);
    std::copy_n(h, s_.out, y);
  }

 private:
  std::vector<std::int16_t> gate(Gate g, const std::int8_t* x, const std::int8_t* h,
                                 const std::int16_t* cell) const {
    const LstmCodes::Weights& of = m_.gates[g];
    std::vector<std::int16_t> out(static_cast<std::size_t>(s_.cells));
    for (std::size_t k = 0; k < out.size(); ++k) {
      const auto row = static_cast<std::int64_t>(k);
      std::int16_t v =
          p_.accumulate(of.from_x[k] + dot(of.w + row * s_.in, x, s_.in), of.x_scale, 0);
      v = p_.accumulate(of.from_h[k] + dot(of.r + row * s_.out, h, s_.out), of.h_scale, v);
      if (of.peephole)
        v = p_.accumulate(std::int32_t{of.peephole[k]} * cell[k], of.peephole_scale, v);
      out[k] = g == LstmCodes::cell_gate ? p_.tanh(v, 3) : p_.sigmoid(v);
    }
    return out;
  }

  void emit(const std::vector<std::int16_t>& open, const std::int16_t* cell, std::int8_t* h) const {
    const bool projects = !m_.projected.empty();
    std::vector<std::int8_t> hidden(open.size());
    for (std::size_t k = 0; k < open.size(); ++k)
      hidden[k] = p_.hidden(open[k], p_.tanh(cell[k], 15 + m_.cell_power), m_.hidden_scale,
                            projects ? -m_.hidden_zero : m_.hidden_zero);
    if (!projects) return void(std::copy(hidden.begin(), hidden.end(), h));
    for (std::int64_t o = 0; o < s_.out; ++o) {
      const std::int32_t acc = m_.projected[static_cast<std::size_t>(o)] +
                               dot(m_.projection + o * s_.cells, hidden.data(), s_.cells);
      h[o] = p_.project(acc, m_.project_scale, m_.state_zero);
      if (m_.projection_clip > 0)
        h[o] = static_cast<std::int8_t>(
            std::clamp<int>(h[o], -m_.projection_clip, m_.projection_clip));
    }
  }

  const LstmCodes m_;
  const LstmSizes& s_;
  const LstmPolicy& p_;
};

}  // namespace

LstmCodes::LstmCodes(const NodeView& n, std::span<const Tensor* const> in, const LstmPolicy& p) {
  cell_power = *power_of_two(n.input(c_at).quant.scale_at(0));
  coupled = !n.has_input(w_at);
  for (const Gate g : {input_gate, forget_gate, cell_gate, output_gate})
    if (g != input_gate || !coupled) gates[g] = weights_of(n, in, p, g, cell_power);
  const auto hidden = static_cast<float>(n.attrs().real("hidden_scale", 1));
  hidden_zero = static_cast<std::int32_t>(n.attrs().integer("hidden_zero", 0));
  hidden_scale = p.multiplier(static_cast<float>(std::ldexp(std::ldexp(1.0, -15) / hidden, -15)));
  state_zero = n.input(h_at).quant.zero_at(0);
  if (p.hidden_is_state) {
    hidden_zero = state_zero;
    hidden_scale = p.multiplier(std::ldexp(1.0, -30) / n.input(h_at).quant.scale_at(0));
  }
  if (n.has_input(projection_at)) {
    project_scale = p.multiplier(scale_of(n, projection_at) * hidden / scale_of(n, h_at));
    projection = in[projection_at]->as<std::int8_t>().data();
    projected = offsets(*in[projection_at], hidden_zero,
                        n.has_input(projection_at + 1) ? in[projection_at + 1] : nullptr);
  }
  cell_clip = clip(n.attrs().real("cell_clip", 0), scale_of(n, c_at), 32767);
  projection_clip = clip(n.attrs().real("projection_clip", 0),
                         static_cast<float>(n.output(0).quant.scale_at(0)), 127);
}

Result<void> check_lstm_codes(const NodeView& n) {
  const auto type = [&](std::size_t i) { return n.has_input(i) ? n.input(i).dtype : DType::i8; };
  const auto wrong = [&](std::size_t i, DType want) {
    return Error{n.where(),
                 "operand '" + n.input(i).name + "' of type " + std::string(name_of(type(i))),
                 std::string(name_of(want)) + " in an LSTM on codes", ""};
  };
  for (std::size_t i = 0; i < n.input_count(); ++i) {
    if (!n.has_input(i)) continue;
    const bool bias = (i >= bias_at && i < projection_at) || i == projection_at + 1;
    const bool peephole = i >= peephole_at && i < bias_at;
    const DType want = bias ? DType::i32 : peephole || i == c_at ? DType::i16 : DType::i8;
    if (type(i) != want) return wrong(i, want);
  }
  const auto power = power_of_two(n.input(c_at).quant.scale_at(0));
  if (!power || *power < -15 || *power > -9)
    return Error{n.where(),
                 "a cell state of scale " + std::to_string(n.input(c_at).quant.scale_at(0)),
                 "a power of two from 2^-15 to 2^-9", ""};
  if (n.has_input(projection_at) && n.has_input(peephole_at + 1))
    return Error{n.where(), "peepholes and a projection", "one of the two", ""};
  return {};
}

Result<void> eval_lstm_codes(EvalContext& c, const LstmSizes& s) {
  if (!c.num.lstm) return no_policy(c.view, "an LSTM on codes");
  LOCKSTEP_CHECK(check_lstm_codes(c.view));
  c.out[1] = *c.in[h_at];
  c.out[2] = *c.in[c_at];
  const Steps steps(c, s);
  const auto* const x = c.in[x_at]->as<std::int8_t>().data();
  auto* const y = c.out[0].as<std::int8_t>().data();
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t t = 0; t < s.steps; ++t) {
      const std::int64_t at = s.time_major ? t * s.batch + b : b * s.steps + t;
      steps.step(x + at * s.in, c.out[1].as<std::int8_t>().data() + b * s.out,
                 c.out[2].as<std::int16_t>().data() + b * s.cells, y + at * s.out);
    }
  return {};
}

}  // namespace lockstep
