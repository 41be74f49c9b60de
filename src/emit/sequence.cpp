// TFLite's LSTM to C, on codes and on float32, and its RNN on float32.
#include <cmath>

#include "emit/any.h"
#include "num/device_form.h"
#include "num/device_tables.h"
#include "num/lstm.h"
#include "num/tflite_policies.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

// Operands as SequenceLstm numbers them.
constexpr std::size_t w_at = 1, r_at = 5, peephole_at = 9, bias_at = 12, projection_at = 16,
                      h_at = 18, c_at = 19;

struct Sizes {
  std::int64_t batch, steps, in, cells, out;
};

Sizes write_sizes(NodeWriter& w) {
  const NodeView& v = w.view();
  const Shape &x = v.input(0).shape, &r = v.input(r_at + 1).shape;
  const bool major = v.attrs().integer("time_major", 0) != 0;
  const Sizes s{x[major ? 1 : 0], x[major ? 0 : 1], x[2], r[0], r[1]};
  w.field("batch", s.batch), w.field("steps", s.steps), w.field("in", s.in);
  w.field("cells", s.cells), w.field("out", s.out), w.field("time_major", major ? 1 : 0);
  return s;
}

double scale_of(const NodeView& v, std::size_t i) {
  return v.input(i).quant.scale_at(0);
}
float real_scale(const NodeView& v, std::size_t i) {
  return static_cast<float>(scale_of(v, i));
}

std::string factor_text(const Rescale& r) {
  return "{" + std::to_string(r.multiplier) + ", " + std::to_string(r.shift) + "}";
}

// What the zero point of the other operand adds to each row's sum, and the bias.
std::string starts(NodeWriter& w, std::size_t weights, std::int64_t factor, const Tensor* bias,
                   const std::string& wish) {
  const Tensor& t = *w.view().constant(weights);
  const std::int64_t rows = t.shape()[0], columns = t.shape()[1];
  std::vector<std::int64_t> out;
  for (std::int64_t k = 0; k < rows; ++k) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < columns; ++i) sum += t.code(k * columns + i);
    out.push_back(static_cast<std::int32_t>(
        static_cast<std::uint32_t>(sum * factor + (bias ? bias->code(k) : 0))));
  }
  return w.constants().add("int32_t", std::span<const std::int64_t>(out), w.label() + wish);
}

std::string gate_text(NodeWriter& w, const LstmPolicy& p, std::size_t g, int cell_power) {
  const NodeView& v = w.view();
  constexpr float q3_12 = 1.f / 4096;
  const std::string name = "_gate_" + std::to_string(g);
  const auto operand = [&](std::size_t i, const char* what) {
    return w.constants().add_tensor(*v.constant(i), w.label() + name + what);
  };
  std::string text = ".w = " + operand(w_at + g, "_w") + ", .r = " + operand(r_at + g, "_r");
  const std::size_t at = peephole_at + (g == 3 ? 2 : g);
  if (g != 2 && v.has_input(at))
    text += ", .peephole = " + operand(at, "_peephole") + ", .peephole_scale = " +
            factor_text(p.multiplier(
                static_cast<float>(std::ldexp(double{real_scale(v, at)}, cell_power) / q3_12)));
  text +=
      ",\n     .from_x = " +
      starts(w, w_at + g, -v.input(0).quant.zero_at(0), v.constant(bias_at + g), name + "_x") +
      ", .from_h = " + starts(w, r_at + g, -v.input(h_at).quant.zero_at(0), nullptr, name + "_h");
  return "{" + text + ",\n     .x_scale = " +
         factor_text(p.multiplier(real_scale(v, w_at + g) * real_scale(v, 0) / q3_12)) +
         ", .h_scale = " +
         factor_text(p.multiplier(real_scale(v, r_at + g) * real_scale(v, h_at) / q3_12)) + "}";
}

std::int64_t clip_of(double bound, float scale, float most) {
  return bound > 0 ? static_cast<std::int64_t>(std::min(static_cast<float>(bound) / scale, most))
                   : 0;
}

// What leaves the cell: the hidden value's grid, and a projection's.
void write_hidden(NodeWriter& w, const LstmPolicy& p) {
  const NodeView& v = w.view();
  const auto hidden = static_cast<float>(v.attrs().real("hidden_scale", 1));
  const bool projects = v.has_input(projection_at);
  std::int64_t zero = v.attrs().integer("hidden_zero", 0);
  Rescale scale = p.multiplier(static_cast<float>(std::ldexp(std::ldexp(1.0, -15) / hidden, -15)));
  if (p.hidden_is_state) {
    zero = v.input(h_at).quant.zero_at(0);
    scale = p.multiplier(std::ldexp(1.0, -30) / scale_of(v, h_at));
  }
  w.field("hidden_scale", factor_text(scale));
  w.field("hidden_zero", projects ? -zero : zero);
  w.field("state_zero", v.input(h_at).quant.zero_at(0));
  if (!projects) return;
  w.field("project_scale",
          factor_text(p.multiplier(real_scale(v, projection_at) * hidden / real_scale(v, h_at))));
  w.field("projection",
          w.constants().add_tensor(*v.constant(projection_at), w.label() + "_projection"));
  w.field("projected", starts(w, projection_at, zero, v.constant(projection_at + 1), "_projected"));
}

void call(NodeWriter& w, const std::string& function, const std::string& params, const char* type,
          const char* cell) {
  w.line(function + "(" + params + ", " + w.in(0, type) + ", " + w.in(h_at, type) + ", " +
         w.in(c_at, cell) + ", " + w.out(0, type) + ", " + w.out(1, type) + ", " + w.out(2, cell) +
         ", " + w.scratch(cell) + ");");
}

Result<void> write_codes(NodeWriter& w) {
  const NodeView& v = w.view();
  const LstmPolicy* p = w.num().lstm;
  if (!p || (p != &tflite_lstm && p != &cmsis_nn_lstm && p != &cmsis_nn_lstm_once))
    return w.unsupported("an LSTM on codes");
  write_sizes(w);
  int power = 0;
  std::frexp(scale_of(v, c_at), &power);
  const bool coupled = !v.has_input(w_at);
  w.field("coupled", coupled ? 1 : 0), w.field("once", p == &cmsis_nn_lstm_once ? 1 : 0);
  w.field("cell_power", power - 1);
  w.field("cell_clip", clip_of(v.attrs().real("cell_clip", 0), real_scale(v, c_at), 32767));
  w.field("projection_clip", clip_of(v.attrs().real("projection_clip", 0),
                                     static_cast<float>(v.output(0).quant.scale_at(0)), 127));
  write_hidden(w, *p);
  if (p != &tflite_lstm) {
    w.field("samples",
            w.constants().add("uint16_t", std::span<const std::int64_t>(tflite_sigmoid_samples()),
                              "sigmoid_samples"));
  }
  std::string gates;
  for (std::size_t g = 0; g < 4; ++g)
    gates += std::string(g == 0 ? "" : ",\n    ") +
             (g == 0 && coupled ? "{.w = NULL}" : gate_text(w, *p, g, power - 1));
  w.field("gates", "{" + gates + "}");
  w.uses("ls_rows.c"), w.uses("ls_sequence.c");
  call(w, "ls_lstm_codes_8", w.params("ls_lstm_codes"), "int8_t", "int16_t");
  return {};
}

// Weights of one gate, or of the projection: float32, or codes and their scale.
std::string weights_text(NodeWriter& w, std::size_t at, const std::string& wish) {
  const NodeView& v = w.view();
  if (!v.has_input(at)) return "{NULL, NULL, 0.0f}";
  const std::string name = w.constants().add_tensor(*v.constant(at), w.label() + wish);
  return v.input(at).dtype == DType::f32
             ? "{" + name + ", NULL, 0.0f}"
             : "{NULL, " + name + ", " + c_float(real_scale(v, at)) + "}";
}

// Peepholes in codes become the float32 that they stand for.
std::string reals_text(NodeWriter& w, std::size_t at, const std::string& wish) {
  const NodeView& v = w.view();
  if (at >= v.input_count() || !v.has_input(at)) return "NULL";
  const Tensor& t = *v.constant(at);
  if (t.dtype() == DType::f32) return w.constants().add_tensor(t, w.label() + wish);
  std::vector<double> reals;
  for (std::int64_t k = 0; k < t.count(); ++k)
    reals.push_back(static_cast<double>(static_cast<float>(t.code(k)) * real_scale(v, at)));
  return w.constants().add("float", std::span<const double>(reals), w.label() + wish);
}

// How rows are coded under weights in codes; "" where weights are float32. Errors: some of each,
// codes of another type, several scales.
Result<std::string> coding_of(const NodeWriter& w) {
  const NodeView& v = w.view();
  std::size_t coded = 0, all = 0;
  for (std::size_t i = w_at; i < h_at; ++i) {
    const bool weights = i < peephole_at || i == projection_at;
    if (!v.has_input(i) || v.input(i).dtype == DType::f32) {
      all += weights && v.has_input(i) ? 1 : 0;
      continue;
    }
    const bool may = (weights || i < bias_at) && v.input(i).dtype == DType::i8 &&
                     v.input(i).quant.scale.size() == 1;
    if (!may || !w.num().hybrid) return w.unsupported("SequenceLstm of float32 by such codes");
    coded += weights ? 1 : 0, all += weights ? 1 : 0;
  }
  if (coded == 0) return std::string();
  if (coded != all) return w.unsupported("SequenceLstm of weights some of which are codes");
  return std::string(v.attrs().integer("asymmetric", 0) == 0 ? "LS_SYMMETRIC" : "LS_ASYMMETRIC");
}

Result<void> write_reals(NodeWriter& w) {
  const NodeView& v = w.view();
  const FloatPolicy& real = w.num().real;
  const bool cut = real.sigmoid == tflite_float_sigmoid;
  if (real.dot || (real.sigmoid && !cut))
    return w.unsupported("SequenceLstm of float32 in this order");
  LOCKSTEP_TRY(const std::string coding, coding_of(w));
  write_sizes(w);
  w.field("is_coded", coding.empty() ? 0 : 1);
  if (!coding.empty()) w.field("coding", coding);
  w.field("projects", v.has_input(projection_at) ? 1 : 0);
  const bool is_tanh = v.attrs().text("activation", "none") == "tanh";
  w.field("is_tanh", is_tanh ? 1 : 0), w.field("cut", cut ? 1 : 0);
  if (!is_tanh) LOCKSTEP_CHECK(write_bounds(w));
  w.field("cell_clip", c_float(static_cast<float>(v.attrs().real("cell_clip", 0))));
  w.field("projection_clip", c_float(static_cast<float>(v.attrs().real("projection_clip", 0))));
  const auto four = [](const auto& text) {
    return "{" + text(0) + ", " + text(1) + ", " + text(2) + ", " + text(3) + "}";
  };
  const auto weights = [&](std::size_t first, const char* wish) {
    return four([&](std::size_t g) { return weights_text(w, first + g, wish); });
  };
  w.field("w", weights(w_at, "_w")), w.field("r", weights(r_at, "_r"));
  w.field("projection", weights_text(w, projection_at, "_projection"));
  w.field("bias", four([&](std::size_t g) { return reals_text(w, bias_at + g, "_bias"); }));
  w.field("peephole", four([&](std::size_t g) {
            return g == 2 ? "NULL" : reals_text(w, peephole_at + (g == 3 ? 2 : g), "_peephole");
          }));
  w.field("projection_bias", reals_text(w, projection_at + 1, "_projection_bias"));
  for (const char* file : {"ls_sequence_real.c", "ls_code_row.c", "ls_rows.c", "ls_codes.c"})
    w.uses(file);
  call(w, "ls_lstm_sequence_f32", w.params("ls_lstm_real"), "float", "float");
  return {};
}

Result<void> emit_sequence_lstm(NodeWriter& w) {
  const NodeView& v = w.view();
  for (std::size_t i = w_at; i < h_at; ++i) {
    if (!v.has_input(i)) continue;
    if (!v.constant(i)) return w.unsupported("SequenceLstm of computed weights");
  }
  return is_code(v.input(0)) ? write_codes(w) : write_reals(w);
}

NodeMemory sequence_memory(const NodeView& v, const Numerics&) {
  const Shape& r = v.input(r_at + 1).shape;
  if (r.size() != 2) return {};
  // On float32 three rows of cells, and codes of x, of h and of a row; on codes less.
  if (v.input(0).dtype == DType::f32) return {13 * r[0] + v.input(0).shape.back() + r[1], {}};
  return {4 * r[0] * static_cast<std::int64_t>(sizeof(std::int16_t)), {}};
}

Result<void> emit_sequence_rnn(NodeWriter& w) {
  const NodeView& v = w.view();
  constexpr std::size_t from_x = 1, from_h = 2, bias = 3, state = 4;
  for (const std::size_t i : {from_x, from_h, bias})
    if (!v.constant(i)) return w.unsupported("SequenceRnn of computed weights");
  const bool coded = v.input(from_x).dtype != DType::f32;
  if (w.num().real.dot || (coded && !w.num().hybrid))
    return w.unsupported("SequenceRnn of float32 in this order");
  const Shape& x = v.input(0).shape;
  const bool major = v.attrs().integer("time_major", 0) != 0 && x.size() == 3;
  w.field("batch", x[major ? 1 : 0]), w.field("in", x.back());
  w.field("steps", x.size() == 2 ? 1 : x[major ? 0 : 1]);
  w.field("units", v.input(from_h).shape[0]);
  w.field("is_coded", coded ? 1 : 0), w.field("time_major", major ? 1 : 0);
  w.field("coding", v.attrs().integer("asymmetric", 0) == 0 ? "LS_SYMMETRIC" : "LS_ASYMMETRIC");
  const bool is_tanh = v.attrs().text("activation", "none") == "tanh";
  w.field("is_tanh", is_tanh ? 1 : 0);
  if (!is_tanh) LOCKSTEP_CHECK(write_bounds(w));
  w.field("w", weights_text(w, from_x, "_w")), w.field("r", weights_text(w, from_h, "_r"));
  w.field("bias", reals_text(w, bias, "_bias"));
  for (const char* file : {"ls_sequence_real.c", "ls_code_row.c", "ls_rows.c", "ls_codes.c"})
    w.uses(file);
  w.line("ls_rnn_sequence_f32(" + w.params("ls_rnn_real") + ", " + w.in(0, "float") + ", " +
         w.in(state, "float") + ", " + w.out(0, "float") + ", " + w.out(1, "float") + ", " +
         w.scratch("float") + ");");
  return {};
}

NodeMemory rnn_memory(const NodeView& v, const Numerics&) {
  const Shape& r = v.input(2).shape;
  const auto real = static_cast<std::int64_t>(sizeof(float));
  return {real * r[0] + v.input(0).shape.back() + r[0], {}};  // a row, and codes of x and h
}

constexpr NodeEmitter table[] = {{"SequenceLstm", sequence_memory, emit_sequence_lstm},
                                 {"SequenceRnn", rnn_memory, emit_sequence_rnn}};

}  // namespace

std::span<const NodeEmitter> sequence_emitters() {
  return table;
}

}  // namespace lockstep
