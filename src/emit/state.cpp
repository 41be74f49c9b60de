// Layers with states to C: SVDF, LSTM, GRU, RNN.
#include "emit/any.h"
#include "num/ort_float.h"
#include "num/ort_functions.h"
#include "num/real_functions.h"
#include "num/tflite_policies.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

Result<void> write_change(NodeWriter& w, const char* field, const Rescale& r, const Value& y) {
  const CodeRange range = code_range(y.dtype);
  w.field(field, "{.multiplier = " + std::to_string(r.multiplier) + ", .shift = " +
                     std::to_string(r.shift) + ", .y_zero = " + std::to_string(y.quant.zero_at(0)) +
                     ", .low = " + std::to_string(range.low) + ", .high = " +
                     std::to_string(range.high) + ", .y_type = " + element_of(y.dtype) + "}");
  return {};
}

Result<void> emit_svdf(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &x = v.input(0), &y = v.output(0), &weights = v.input(1), &time = v.input(2),
              &state = v.input(4);
  if (!is_short_code(x) || !is_short_code(y) || !is_short_code(state) || !v.constant(1) ||
      !v.constant(2) || (v.has_input(3) && !v.constant(3)) || !w.num().state)
    return w.unsupported("Svdf of " + std::string(name_of(x.dtype)));
  if (requant_steps(*w.num().state) != RequantSteps::fixed_twice)
    return w.unsupported("this rounding");
  const std::int64_t rank = v.attrs().integer("rank", 1);
  const Rescale into = w.num().state->prepare(x.quant.scale_at(0), weights.quant.scale_at(0),
                                              state.quant.scale_at(0)),
                out = w.num().state->prepare(state.quant.scale_at(0), time.quant.scale_at(0),
                                             y.quant.scale_at(0));
  w.field("batch", x.shape[0]), w.field("in", x.shape[1]);
  w.field("filters", weights.shape[0]), w.field("memory", time.shape[1]), w.field("rank", rank);
  w.field("x_zero", x.quant.zero_at(0)), w.field("state_zero", state.quant.zero_at(0));
  w.field("x_type", element_of(x.dtype)), w.field("w_type", element_of(weights.dtype));
  w.field("v_type", element_of(time.dtype)), w.field("state_type", element_of(state.dtype));
  LOCKSTEP_CHECK(write_change(w, "in_scale", into, state));
  LOCKSTEP_CHECK(write_change(w, "out_scale", out, y));
  w.field("w", w.constants().add_tensor(*v.constant(1), w.label() + "_weights"));
  w.field("v", w.constants().add_tensor(*v.constant(2), w.label() + "_time"));
  if (v.constant(3)) w.field("bias", w.constants().add_tensor(*v.constant(3), w.label() + "_bias"));
  w.uses("ls_sums_any.c"), w.uses("ls_codes.c");
  w.line("ls_svdf_any(" + w.params("ls_svdf") + ", " + w.in(0) + ", " + w.in(4) + ", " + w.out(0) +
         ", " + w.out(1) + ");");
  return {};
}

NodeMemory lstm_memory(const NodeView& v, const Numerics&) {
  const std::int64_t hidden = v.input(2).shape.empty() ? 0 : v.input(2).shape.back();
  return {6 * hidden * static_cast<std::int64_t>(sizeof(float)), {}};
}

// How `rows` vectors of length `depth` are multiplied by weights of `columns` rows (N30, N32).
std::string block_text(const FloatPolicy& real, bool packed, std::int64_t rows,
                       std::int64_t columns, std::int64_t depth) {
  if (!real.matrix) return "0";
  if (packed) return "256";
  return rows == 1 ? "LS_BY_EIGHTS" : std::to_string(unpacked_block(columns, depth));
}

// The fields that LSTM, GRU and RNN share. packs: constant weights are packed before.
Result<void> write_recurrent(NodeWriter& w, bool packs = true) {
  const NodeView& v = w.view();
  const Shape &x = v.input(0).shape, &r = v.input(2).shape;
  if (v.input(0).dtype != DType::f32)
    return w.unsupported(v.node.op + " of " + std::string(name_of(v.input(0).dtype)));
  const bool first = v.attrs().integer("layout", 0) != 0;
  const std::string direction = v.attrs().text("direction", "forward");
  w.field("steps", x[first ? 1 : 0]), w.field("batch", x[first ? 0 : 1]), w.field("in", x[2]);
  w.field("hidden", r[2]), w.field("directions", r[0]);
  w.field("batch_first", first ? 1 : 0), w.field("reverse", direction == "reverse" ? 1 : 0);
  const FloatPolicy& real = w.num().real;
  const bool cut = real.sigmoid == tflite_float_sigmoid,
             rational = real.sigmoid == ort_sigmoid && real.tanh == ort_tanh;
  if (!rational && (real.tanh || (real.sigmoid && !cut)))
    return w.unsupported(v.node.op + " with these functions");
  w.field("rational", rational ? 1 : 0), w.field("cut", cut ? 1 : 0);
  const std::int64_t batch = x[first ? 0 : 1];
  const auto packed = [&](std::size_t i) { return packs && v.constant(i) && !v.input(i).folded; };
  w.field("x_block", block_text(real, packed(1), x[first ? 1 : 0] * batch, r[1], x[2]));
  w.field("h_block", block_text(real, packed(2), batch, r[1], r[2]));
  w.uses("ls_recurrent.c"), w.uses("ls_real.c");
  return {};
}

std::string real_in(NodeWriter& w, std::size_t i) {
  return w.view().has_input(i) ? w.in(i, "float") : std::string("NULL");
}
std::string real_out(NodeWriter& w, std::size_t o) {
  const Node& node = w.view().node;
  return o < node.outputs.size() && node.outputs[o] != no_id ? w.out(o, "float")
                                                             : std::string("NULL");
}

Result<void> emit_lstm(NodeWriter& w) {
  LOCKSTEP_CHECK(write_recurrent(w));
  w.line("ls_lstm_f32(" + w.params("ls_recurrent") + ", " + real_in(w, 0) + ", " + real_in(w, 1) +
         ", " + real_in(w, 2) + ", " + real_in(w, 3) + ", " + real_in(w, 5) + ", " + real_in(w, 6) +
         ", " + real_out(w, 0) + ", " + real_out(w, 1) + ", " + real_out(w, 2) + ", " +
         w.scratch("float") + ");");
  return {};
}

Result<void> emit_gru(NodeWriter& w) {
  LOCKSTEP_CHECK(write_recurrent(w));
  const RealFunctions* own = w.num().real.functions;
  if (own && (own->gru_reset == nullptr) != (own->gru_output == nullptr))
    return w.unsupported("this GRU");
  w.field("reset_after", w.view().attrs().integer("linear_before_reset", 0) != 0 ? 1 : 0);
  w.field("quotients", own && own->gru_reset ? 1 : 0);
  w.line("ls_gru_f32(" + w.params("ls_recurrent") + ", " + real_in(w, 0) + ", " + real_in(w, 1) +
         ", " + real_in(w, 2) + ", " + real_in(w, 3) + ", " + real_in(w, 5) + ", " +
         real_out(w, 0) + ", " + real_out(w, 1) + ", " + w.scratch("float") + ");");
  return {};
}

Result<void> emit_rnn(NodeWriter& w) {
  LOCKSTEP_CHECK(write_recurrent(w, false));
  const RealFunctions* own = w.num().real.functions;
  if (own && own->rnn_output && own->rnn_output != ort_rnn_output) return w.unsupported("this RNN");
  w.field("quotients", own && own->rnn_output ? 1 : 0);
  w.line("ls_rnn_f32(" + w.params("ls_recurrent") + ", " + real_in(w, 0) + ", " + real_in(w, 1) +
         ", " + real_in(w, 2) + ", " + real_in(w, 3) + ", " + real_in(w, 5) + ", " +
         real_out(w, 0) + ", " + real_out(w, 1) + ", " + w.scratch("float") + ");");
  return {};
}

constexpr NodeEmitter table[] = {{"Svdf", nullptr, emit_svdf},
                                 {"LSTM", lstm_memory, emit_lstm},
                                 {"GRU", lstm_memory, emit_gru},
                                 {"RNN", lstm_memory, emit_rnn}};

}  // namespace

std::span<const NodeEmitter> state_emitters() {
  return table;
}

}  // namespace lockstep
