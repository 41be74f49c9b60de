// Sums, means and extremes over axes to C.
#include <algorithm>

#include "emit/any.h"
#include "emit/reduce.h"
#include "num/device_form.h"
#include "num/tflite_product.h"
#include "op/op_codes.h"
#include "op/op_reduce.h"

namespace lockstep {

Axes axes_of(const Shape& x, const std::vector<bool>& reduced) {
  Axes a;
  const Shape strides = strides_of(x);
  int last = -1;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (x[d] == 1) continue;
    const int k = reduced[d] ? 1 : 0;
    if (k == last) {
      a.extent[k].back() *= x[d];
      a.stride[k].back() = strides[d];
    } else {
      a.extent[k].push_back(x[d]);
      a.stride[k].push_back(strides[d]);
    }
    last = k;
  }
  return a;
}

Result<std::string> axes_text(const NodeWriter& w, const Axes& a) {
  const auto four = [](std::vector<std::int64_t> v, std::int64_t fill) {
    v.insert(v.begin(), 4 - v.size(), fill);
    std::string out;
    for (const std::int64_t x : v) out += (out.empty() ? "" : ", ") + std::to_string(x);
    return "{" + out + "}";
  };
  if (a.extent[0].size() > 4 || a.extent[1].size() > 4)
    return w.unsupported("more than four runs of reduced axes");
  return "{.kept = " + four(a.extent[0], 1) + ", .kept_stride = " + four(a.stride[0], 0) +
         ", .reduced = " + four(a.extent[1], 1) + ", .reduced_stride = " + four(a.stride[1], 0) +
         "}";
}

namespace {

Result<std::vector<bool>> reduced_axes(const NodeWriter& w) {
  const NodeView& v = w.view();
  if (v.node.op.starts_with("Global")) {
    std::vector<bool> axes(v.input(0).shape.size(), true);
    axes[0] = false;
    axes[v.attrs().text("layout", "NCHW") == "NHWC" ? axes.size() - 1 : 1] = false;
    return axes;
  }
  LOCKSTEP_TRY(const Reduction r, reduction_of(v));
  return r.reduced;
}

// The fields outer, reduced and inner of axes that lie so.
void write_middle(NodeWriter& w, const Axes& a) {
  const bool behind =
      a.extent[0].size() == 1 && !a.extent[1].empty() && a.stride[0][0] < a.stride[1][0];
  const std::int64_t inner = a.extent[0].size() == 2 ? a.extent[0][1] : behind ? a.count(0) : 1;
  w.field("outer", a.count(0) / inner), w.field("reduced", a.count(1)), w.field("inner", inner);
}

struct Sums {
  SumSteps steps;
  std::int32_t start = 0, low = 0, high = 0;
  bool bytes_unsigned = false;  // int8 codes enter as unsigned bytes
};

Result<void> write_sum_finish(NodeWriter& w, const Sums& s) {
  const Value& y = w.view().output(0);
  if (s.steps.centred && is_narrow(y))
    return write_finish(w, s.steps.steps, std::span(&s.steps.rescale, 1), y.quant.zero_at(0), s.low,
                        s.high);
  const bool offset = !s.steps.centred;
  if (!offset && s.steps.steps != RequantSteps::fixed_twice) return w.unsupported("this rounding");
  const double factor = s.steps.rescale.factor;
  const std::int64_t multiplier = s.steps.rescale.multiplier, shift = s.steps.rescale.shift;
  const auto put = [&](std::int64_t n, const char* wish) {
    return w.constants().add("int32_t", std::span(&n, 1), w.label() + wish);
  };
  w.uses("ls_sums_any.c"), w.uses("ls_codes.c");
  w.field("finish", !offset        ? "ls_finish_fixed_16"
                    : is_narrow(y) ? "ls_finish_offset"
                                   : "ls_finish_offset_16");
  w.field(
      "q",
      "{" +
          (offset ? ".factor = " +
                        w.constants().add("float", std::span(&factor, 1), w.label() + "_factor") +
                        ", .offset = " + c_float(s.steps.offset)
                  : ".multiplier = " + put(multiplier, "_multiplier") +
                        ", .shift = " + put(shift, "_shift")) +
          ", .zero = " + std::to_string(y.quant.zero_at(0)) + ", .low = " + std::to_string(s.low) +
          ", .high = " + std::to_string(s.high) + "}");
  return {};
}

Result<void> write_sums(NodeWriter& w, const Sums& s, const Axes& a) {
  const Value &x = w.view().input(0), &y = w.view().output(0);
  LOCKSTEP_CHECK(write_sum_finish(w, s));
  w.field("start", s.start);
  if (a.in_the_middle() && is_narrow(x) && is_narrow(y)) {
    write_middle(w, a);
    w.field("is_unsigned", x.dtype == DType::u8 || s.bytes_unsigned ? 1 : 0);
    w.uses("ls_pool.c"), w.uses("ls_finish.c");
    w.line("ls_reduce_sum_8(" + w.params("ls_reduce") + ", " + w.in(0) + ", " + w.out(0) + ");");
    return {};
  }
  LOCKSTEP_TRY(const std::string axes, axes_text(w, a));
  w.field("axes", axes);
  w.field("x_type", s.bytes_unsigned ? "LS_U8" : element_of(x.dtype));
  w.field("y_bytes", static_cast<std::int64_t>(size_of(y.dtype)));
  w.uses("ls_sums_any.c"), w.uses("ls_codes.c");
  w.line("ls_sum_any(" + w.params("ls_sum_any_p") + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

Result<void> write_code_sums(NodeWriter& w, const AveragePolicy* policy, bool mean, const Axes& a) {
  const NodeView& v = w.view();
  const Value &x = v.input(0), &y = v.output(0);
  if (!policy || !is_short_code(x) || !is_short_code(y))
    return w.unsupported(v.node.op + " of " + std::string(name_of(x.dtype)));
  Sums s;
  const CodeClamp clamp = clamp_of(v);
  s.low = clamp.low, s.high = clamp.high;
  if (!mean) {
    const CodeRange range = code_range(y.dtype);
    s.bytes_unsigned = w.num().sums_bytes_unsigned && size_of(x.dtype) == 1;
    s.low = s.bytes_unsigned ? 0 : static_cast<std::int32_t>(range.low);
    s.high = s.bytes_unsigned ? 255 : static_cast<std::int32_t>(range.high);
  }
  const auto n = static_cast<std::int32_t>(a.count(1));
  s.steps = sum_steps(*policy, n,
                      {x.quant.scale_at(0), y.quant.scale_at(0), x.quant.zero_at(0),
                       y.quant.zero_at(0), s.low, s.high});
  s.start = s.steps.centred ? -n * x.quant.zero_at(0) : 0;
  return write_sums(w, s, a);
}

// Integers that 32 bits hold, codes among them.
bool is_plain_integer(const Value& v) {
  return is_narrow(v) || v.dtype == DType::i16 || v.dtype == DType::u16 || v.dtype == DType::i32 ||
         v.dtype == DType::boolean;
}

Result<void> write_code_extreme(NodeWriter& w, const Axes& a, bool greatest) {
  const NodeView& v = w.view();
  const Value& x = v.input(0);
  const bool other_codes =
      x.quant.quantized() && v.output(0).quant.quantized() && x.quant != v.output(0).quant;
  if (!is_plain_integer(x) || other_codes || a.count(1) == 0)
    return w.unsupported(v.node.op + " of " + std::string(name_of(x.dtype)));
  if (a.in_the_middle() && is_narrow(x) && greatest) {
    write_middle(w, a);
    w.field("is_unsigned", x.dtype == DType::u8 ? 1 : 0);
    w.uses("ls_pool.c"), w.uses("ls_finish.c");
    w.line("ls_reduce_max_8(" + w.params("ls_reduce") + ", " + w.in(0) + ", " + w.out(0) + ");");
    return {};
  }
  LOCKSTEP_TRY(const std::string axes, axes_text(w, a));
  w.uses("ls_sums_any.c"), w.uses("ls_codes.c");
  w.field("axes", axes), w.field("type", element_of(x.dtype)), w.field("sign", greatest ? 1 : -1);
  w.line("ls_extreme_any(" + w.params("ls_extreme") + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

Result<void> write_code_product(NodeWriter& w, const Axes& a) {
  const NodeView& v = w.view();
  const Value &x = v.input(0), &y = v.output(0);
  if (!is_short_code(x) || x.dtype != y.dtype)
    return w.unsupported(v.node.op + " of " + std::string(name_of(x.dtype)));
  const Rescale r = product_rescale(x.quant.scale_at(0), y.quant.scale_at(0),
                                    std::max<std::int64_t>(1, a.count(1)));
  const CodeRange range = code_range(y.dtype);
  LOCKSTEP_TRY(const std::string axes, axes_text(w, a));
  w.field("axes", axes), w.field("x_zero", x.quant.zero_at(0));
  w.field("multiplier", r.multiplier), w.field("shift", r.shift);
  w.field("y_zero", y.quant.zero_at(0)), w.field("low", range.low), w.field("high", range.high);
  w.field("type", element_of(x.dtype));
  w.uses("ls_sums_any.c"), w.uses("ls_codes.c");
  w.line("ls_product_any(" + w.params("ls_product") + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

struct Kind {
  std::string_view op;
  const char *kind, *term;
};
constexpr Kind kinds[] = {
    {"ReduceMean", "LS_MEAN", "LS_AS_IT_IS"},
    {"ReduceSum", "LS_SUM", "LS_AS_IT_IS"},
    {"ReduceL1", "LS_SUM", "LS_MAGNITUDE"},
    {"ReduceL2", "LS_ROOT", "LS_SQUARED"},
    {"ReduceSumSquare", "LS_SUM", "LS_SQUARED"},
    {"ReduceLogSum", "LS_LOG_SUM", "LS_AS_IT_IS"},
    {"ReduceLogSumExp", "LS_LOG_SUM", "LS_EXPONENTIAL"},
    {"ReduceProd", "LS_PRODUCT", "LS_AS_IT_IS"},
    {"ReduceMax", "LS_GREATEST", "LS_AS_IT_IS"},
    {"ReduceMin", "LS_LEAST", "LS_AS_IT_IS"},
    {"GlobalMaxPool", "LS_GREATEST", "LS_AS_IT_IS"},
    {"GlobalAveragePool", "LS_MEAN", "LS_AS_IT_IS"},
};

Result<void> emit_reduction(NodeWriter& w) {
  const NodeView& v = w.view();
  const std::string& op = v.node.op;
  LOCKSTEP_TRY(const auto reduced, reduced_axes(w));
  const Axes a = axes_of(v.input(0).shape, reduced);
  const bool least = op == "ReduceMin";
  if (!is_float(v.input(0).dtype) && (least || op == "ReduceMax" || op == "GlobalMaxPool"))
    return write_code_extreme(w, a, !least);
  if (v.input(0).quant.quantized()) {
    if (op == "ReduceSum") return write_code_sums(w, w.num().sum, false, a);
    if (op == "ReduceMean" || op == "GlobalAveragePool")
      return write_code_sums(w, w.num().global_average, true, a);
    if (op == "ReduceProd" && v.output(0).quant.quantized()) return write_code_product(w, a);
    return w.unsupported(op + " of codes");
  }
  if (op == "GlobalAveragePool" && is_real(v)) return write_plane_mean(w);
  const auto kind = std::ranges::find(kinds, std::string_view(op), &Kind::op);
  return write_real_reduction(w, reduced, kind->kind, kind->term);
}

constexpr NodeEmitter table[] = {
    {"ReduceMean", nullptr, emit_reduction},      {"ReduceSum", nullptr, emit_reduction},
    {"ReduceL1", nullptr, emit_reduction},        {"ReduceL2", nullptr, emit_reduction},
    {"ReduceSumSquare", nullptr, emit_reduction}, {"ReduceLogSum", nullptr, emit_reduction},
    {"ReduceLogSumExp", nullptr, emit_reduction}, {"ReduceProd", nullptr, emit_reduction},
    {"ReduceMax", nullptr, emit_reduction},       {"ReduceMin", nullptr, emit_reduction},
    {"GlobalMaxPool", nullptr, emit_reduction},   {"GlobalAveragePool", nullptr, emit_reduction},
};

}  // namespace

std::span<const NodeEmitter> reduce_emitters() {
  return table;
}

}  // namespace lockstep
