// Softmax and normalizations to C.
#include <algorithm>
#include <cmath>

#include "emit/any.h"
#include "num/device_form.h"
#include "num/device_tables.h"
#include "num/real_functions.h"
#include "num/xnnpack_float.h"
#include "op/op_codes.h"
#include "op/op_held.h"

namespace lockstep {
namespace {

// x seen as [outer][count][inner].
struct Rows {
  std::int64_t outer = 1, count = 1, inner = 1;
};

Rows rows_of(const NodeView& v, std::int64_t axis, bool flatten) {
  const Shape& x = v.input(0).shape;
  const auto rank = static_cast<std::int64_t>(x.size());
  if (axis < 0) axis += rank;
  Rows r;
  for (std::int64_t i = 0; i < rank; ++i)
    (i < axis               ? r.outer
     : i == axis || flatten ? r.count
                            : r.inner) *= x[static_cast<std::size_t>(i)];
  return r;
}
Rows rows_of(const NodeView& v) {
  return rows_of(v, v.attrs().integer("axis", -1), v.attrs().integer("flatten", 0) != 0);
}
std::string extents(const Rows& r) {
  return std::to_string(r.outer) + ", " + std::to_string(r.count) + ", " + std::to_string(r.inner);
}

SoftmaxScales scales_of(const NodeView& v) {
  const Value &x = v.input(0), &y = v.output(0);
  const CodeRange range = code_range(y.dtype);
  return {x.quant.scale_at(0),
          y.quant.scale_at(0),
          v.attrs().real("beta", 1),
          y.quant.zero_at(0),
          static_cast<std::int32_t>(range.low),
          static_cast<std::int32_t>(range.high),
          static_cast<std::int32_t>(code_range(x.dtype).low)};
}

void write_rows(NodeWriter& w, const Rows& r, const SoftmaxScales& s) {
  w.field("outer", r.outer), w.field("count", r.count), w.field("inner", r.inner);
  w.field("x_zero", w.view().input(0).quant.zero_at(0));
  w.field("y_zero", s.y_zero), w.field("low", s.low), w.field("high", s.high);
  w.field("x_scale", c_float(static_cast<float>(s.x_scale)));
  w.field("y_scale", c_float(static_cast<float>(s.y_scale)));
  w.field("x_type", element_of(w.view().input(0).dtype));
  w.field("y_type", element_of(w.view().output(0).dtype));
  w.uses("ls_rows.c");
}

void write_terms(NodeWriter& w, float step) {
  w.field("terms", w.constants().add("float", std::span<const double>(litert_terms(step)),
                                     w.label() + "_terms"));
}

void write_fixed(NodeWriter& w, const Rows& r, const SoftmaxScales& s) {
  const std::vector<std::int64_t> table = tflite_exponentials(s);
  w.field("outer", r.outer), w.field("count", r.count), w.field("inner", r.inner);
  w.field("zero", s.y_zero), w.field("low", s.low), w.field("high", s.high);
  w.field("is_unsigned", w.view().input(0).dtype == DType::u8 ? 1 : 0);
  w.field("exponential",
          w.constants().add("int32_t", std::span<const std::int64_t>(table), w.label() + "_exp"));
  w.field("live", static_cast<std::int64_t>(table.size()));
  w.uses("ls_table.c");
  w.field("y_bytes", static_cast<std::int64_t>(size_of(w.view().output(0).dtype)));
  w.line("ls_softmax_fixed_8(" + w.params("ls_softmax") + ", " + w.in(0) + ", " + w.out(0) + ");");
}

void write_table(NodeWriter& w, const Rows& r, const SoftmaxScales& s) {
  const std::vector<double> table = ort_exponentials(s, r.count);
  w.field("outer", r.outer), w.field("count", r.count), w.field("inner", r.inner);
  w.field("zero", s.y_zero), w.field("low", s.low), w.field("high", s.high);
  const bool plain = w.view().output(0).dtype == DType::i8 && !holds_unsigned(w.view());
  w.field("beyond", !plain ? s.y_zero : s.y_zero < 0 ? s.high : s.low);
  w.field("is_unsigned", w.view().input(0).dtype == DType::u8 ? 1 : 0);
  w.field("exponential_real",
          w.constants().add("float", std::span<const double>(table), w.label() + "_exp"));
  w.field("y_factor", c_float(ort_softmax_factor(s)));
  w.uses("ls_table.c");
  w.line("ls_softmax_float_8(" + w.params("ls_softmax") + ", " + w.in(0) + ", " + w.out(0) + ");");
}

void write_samples(NodeWriter& w, const Rows& r, const SoftmaxScales& s) {
  const Rescale d = tflite_wide_differences(s);
  write_rows(w, r, s);
  w.field("multiplier", d.multiplier), w.field("shift", d.shift);
  const auto put = [&](const std::vector<std::int64_t>& samples, const std::string& wish) {
    return w.constants().add("int16_t", std::span<const std::int64_t>(samples), wish);
  };
  w.line("ls_softmax_16(" + w.params("ls_rows") + ", " +
         put(exponential_samples_of(*w.num().softmax_wide), "exponential_samples") + ", " +
         put(inverse_samples_of(*w.num().softmax_wide), "inverse_samples") + ", " +
         w.in(0, "int16_t") + ", " + w.out(0, "int16_t") + ");");
}

Result<void> write_log_softmax_fixed(NodeWriter& w, const Rows& r, const SoftmaxScales& s) {
  const LogSoftmaxSteps steps = tflite_log_softmax_steps(s);
  write_rows(w, r, s);
  w.field("multiplier", steps.in.multiplier), w.field("shift", steps.in.shift);
  w.field("back_multiplier", steps.back.multiplier), w.field("back_shift", steps.back.shift);
  w.field("least", steps.least);
  w.line("ls_log_softmax_fixed(" + w.params("ls_rows") + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

Result<void> write_code_rows(NodeWriter& w, const SoftmaxPolicy* policy, const Rows& r) {
  const NodeView& v = w.view();
  const SoftmaxScales s = scales_of(v);
  const bool narrow = is_narrow(v.input(0)) && is_narrow(v.output(0));
  const RowSteps steps = policy ? row_steps(*policy) : RowSteps::other;
  const auto call = [&](const std::string& function) {
    w.line(function + "(" + w.params("ls_rows") + ", " + w.in(0) + ", " + w.out(0) + ");");
  };
  if (steps == RowSteps::softmax_samples && !narrow) return write_samples(w, r, s), Result<void>();
  if (steps == RowSteps::softmax_fixed && is_narrow(v.input(0)))
    return write_fixed(w, r, s), Result<void>();
  // From 8-bit codes to 16-bit ones too.
  const bool wider = steps == RowSteps::softmax_terms && is_narrow(v.input(0));
  if ((!narrow && !wider) || steps == RowSteps::other || steps == RowSteps::softmax_samples)
    return w.unsupported(v.node.op + " of " + std::string(name_of(v.input(0).dtype)));
  if (steps == RowSteps::softmax_table) return write_table(w, r, s), Result<void>();
  if (steps == RowSteps::log_softmax_fixed) return write_log_softmax_fixed(w, r, s);
  write_rows(w, r, s);
  if (steps == RowSteps::length) return call("ls_l2_normalize"), Result<void>();
  const auto x_scale = static_cast<float>(s.x_scale);
  write_terms(w,
              steps == RowSteps::softmax_terms ? -x_scale * static_cast<float>(s.beta) : -x_scale);
  call(steps == RowSteps::softmax_terms ? "ls_softmax_real" : "ls_log_softmax_real");
  return {};
}

bool on_short_codes(const NodeView& v) {
  return is_short_code(v.input(0)) && is_short_code(v.output(0));
}

Result<void> call_real(NodeWriter& w, const std::string& file, const std::string& function,
                       const std::string& rest) {
  if (!is_real(w.view()))
    return w.unsupported(w.view().node.op + " of " + std::string(name_of(w.view().input(0).dtype)));
  w.uses(file);
  w.line(function + "(" + w.in(0, "float") + ", " + w.out(0, "float") + ", " + rest + ");");
  return {};
}

// Those that onnxruntime sums in vectors of its own.
bool by_vectors(const NodeWriter& w) {
  return w.num().real.functions && w.num().real.functions->log_softmax;
}

Result<void> emit_softmax(NodeWriter& w) {
  const NodeView& v = w.view();
  const Rows r = rows_of(v);
  if (on_short_codes(v)) {
    const bool wide = v.input(0).dtype == DType::i16 && w.num().softmax_wide;
    return write_code_rows(w, wide ? w.num().softmax_wide : w.num().softmax, r);
  }
  const auto beta = static_cast<float>(v.attrs().real("beta", 1));
  if (sums_from_bias(w.num()) && beta == 1)
    return call_real(w, "ls_fused_real.c", "ls_fused_softmax_f32", extents(r));
  if (w.num().real.softmax && beta == 1)
    return call_real(w, "ls_real.c", "ls_softmax_rows_f32", extents(r));
  return call_real(w, "ls_sum_real.c", "ls_softmax_plain_f32", extents(r) + ", " + c_float(beta));
}

Result<void> emit_log_softmax(NodeWriter& w) {
  const NodeView& v = w.view();
  if (on_short_codes(v)) return write_code_rows(w, w.num().log_softmax, rows_of(v, -1, false));
  if (by_vectors(w))
    return call_real(w, "ls_real.c", "ls_log_softmax_rows_f32", extents(rows_of(v)));
  return call_real(w, "ls_sum_real.c", "ls_log_softmax_f32", extents(rows_of(v)));
}

Result<void> emit_l2(NodeWriter& w) {
  const Rows r = rows_of(w.view(), -1, false);
  if (on_short_codes(w.view())) return write_code_rows(w, w.num().l2_normalization, r);
  LOCKSTEP_CHECK(call_real(w, "ls_sum_real.c", "ls_l2_normalize_f32",
                           std::to_string(r.outer) + ", " + std::to_string(r.count)));
  return write_activation(w);
}

Result<void> emit_lp(NodeWriter& w) {
  return call_real(w, "ls_sum_real.c", "ls_lp_normalize_f32",
                   extents(rows_of(w.view())) + ", " +
                       std::to_string(w.view().attrs().integer("p", 2)) +
                       (by_vectors(w) ? ", 1" : ", 0"));
}

// Groups of neighbours; scale and bias by element or by channel.
Result<void> emit_normalization(NodeWriter& w) {
  const NodeView& v = w.view();
  const Shape& x = v.input(0).shape;
  if (!is_real(v))
    return w.unsupported(v.node.op + " of " + std::string(name_of(v.input(0).dtype)));
  const bool planes = v.node.op == "InstanceNormalization",
             groups = v.node.op == "GroupNormalization";
  const std::int64_t all = count_of(x);
  std::int64_t count = 0, inner = 1, extent = count_of(v.input(1).shape);
  if (v.node.op == "LayerNormalization") {
    count = rows_of(v, v.attrs().integer("axis", -1), true).count;
  } else {
    const std::int64_t positions = all / (x[0] * x[1]);
    const std::int64_t parts = groups ? v.attrs().integer("num_groups", 1) : x[1];
    count = x[1] / parts * positions;
    inner = extent == x[1] ? positions : count;
  }
  w.field("groups", all / count), w.field("count", count);
  w.field("inner", inner), w.field("extent", extent);
  w.field("epsilon", c_double(v.attrs().real("epsilon", 1e-5f)));
  const bool own = by_vectors(w);
  w.uses(own ? "ls_vector_real.c" : "ls_sum_real.c");
  w.line(std::string(!own     ? "ls_normalize_f32("
                     : groups ? "ls_normalize_groups_f32("
                     : planes ? "ls_normalize_planes_f32("
                              : "ls_normalize_rows_f32(") +
         w.params("ls_normal") + ", " + w.in(0, "float") + ", " + w.in(1, "float") + ", " +
         (v.has_input(2) ? w.in(2, "float") : "NULL") + ", " + w.out(0, "float") + ");");
  return {};
}

Result<void> emit_neighbours(NodeWriter& w) {
  const NodeView& v = w.view();
  const Shape& x = v.input(0).shape;
  const bool last = v.attrs().integer("axis", 1) == -1;
  const std::int64_t channels = last ? x.back() : x[1], whole = v.attrs().integer("size", 1),
                     inner = last ? 1 : count_of(x) / (x[0] * channels);
  const auto alpha = static_cast<float>(v.attrs().real("alpha", 0.0001f));
  w.field("outer", count_of(x) / (channels * inner)), w.field("channels", channels),
      w.field("inner", inner);
  w.field("size", std::min(whole, 2 * channels + 1));
  w.field("factor", c_float(last ? alpha : alpha / static_cast<float>(whole)));
  w.field("bias", c_float(static_cast<float>(v.attrs().real("bias", 1))));
  w.field("beta", c_float(static_cast<float>(v.attrs().real("beta", 0.75))));
  w.field("along", last ? 0 : 1);
  w.uses("ls_neighbours.c");
  w.line("ls_normalize_neighbours_f32(" + w.params("ls_neighbours") + ", " + w.in(0, "float") +
         ", " + w.out(0, "float") + ");");
  return {};
}

constexpr NodeEmitter table[] = {
    {"LRN", nullptr, emit_neighbours},
    {"Softmax", nullptr, emit_softmax},
    {"LogSoftmax", nullptr, emit_log_softmax},
    {"L2Normalization", nullptr, emit_l2},
    {"LpNormalization", nullptr, emit_lp},
    {"LayerNormalization", nullptr, emit_normalization},
    {"InstanceNormalization", nullptr, emit_normalization},
    {"GroupNormalization", nullptr, emit_normalization},
};

}  // namespace

std::span<const NodeEmitter> row_emitters() {
  return table;
}

}  // namespace lockstep
