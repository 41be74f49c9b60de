// Convolutions, products and poolings on codes of any type to C.
#include "emit/any.h"

#include <algorithm>

#include "op/op_codes.h"
#include "op/op_matrix.h"

namespace lockstep {

std::string element_of(DType type) {
  switch (type) {
    case DType::i8:
      return "LS_S8";
    case DType::i16:
      return "LS_S16";
    case DType::u16:
      return "LS_U16";
    case DType::i32:
      return "LS_S32";
    case DType::i64:
      return "LS_S64";
    case DType::f32:
      return "LS_F32";
    case DType::f64:
      return "LS_F64";
    case DType::boolean:
      return "LS_BOOL";
    default:
      return "LS_U8";
  }
}

bool is_short_code(const Value& v) {
  return is_code(v) && (is_narrow(v) || v.dtype == DType::i16 || v.dtype == DType::u16);
}

namespace {

template <class T, class F>
std::string list_of(NodeWriter& w, std::string_view type, std::span<const Rescale> r,
                    const std::string& wish, F&& part) {
  std::vector<T> values;
  for (const Rescale& x : r) values.push_back(static_cast<T>(part(x)));
  return w.constants().add(type, std::span<const T>(values), w.label() + "_" + wish);
}

// The steps' name in rt/, or nothing.
std::string_view steps_of(const SumRule& rule) {
  const RequantPolicy& policy = *rule.policy;
  if (SumRules::is_half_up(rule)) return "LS_TWICE";
  if (rule.wide) {
    const WideSteps steps = wide_steps(policy);
    return steps == WideSteps::fixed_16 ? "LS_WIDE" : steps == WideSteps::real64 ? "LS_REAL64" : "";
  }
  switch (requant_steps(policy)) {
    case RequantSteps::fixed_twice:
      return "LS_TWICE";
    case RequantSteps::fixed_once:
      return "LS_ONCE";
    case RequantSteps::real32:
      return "LS_REAL32";
    case RequantSteps::real64:
      return "LS_REAL64";
    case RequantSteps::other:
      break;
  }
  return "";
}

}  // namespace

SumRules::SumRules(SumRule of_all, std::int64_t channels)
    : SumRules(channels, [&](std::int64_t) { return of_all; }) {}

Result<void> write_scaler(NodeWriter& w, const SumRules& rules) {
  const NodeView& v = w.view();
  const std::string_view steps = steps_of(rules.rule());
  if (steps.empty() || (rules.half_up() > 0 && steps != "LS_TWICE"))
    return w.unsupported("this rounding");
  const Value &x = v.input(0), &weights = v.input(1), &y = v.output(0);
  std::vector<Rescale> rescales;
  for (std::int64_t o = 0; o < (weights.quant.per_channel() ? rules.channels() : 1); ++o)
    rescales.push_back(rules.of(o).policy->prepare(
        x.quant.scale_at(0), weights.quant.scale_at(static_cast<std::size_t>(o)),
        y.quant.scale_at(0)));
  const CodeClamp clamp = clamp_of(w.view());
  std::string arrays;
  if (steps == "LS_REAL32")
    arrays = ".factor = " + list_of<double>(w, "float", rescales, "factor",
                                            [](const Rescale& r) { return r.factor; });
  else if (steps == "LS_REAL64")
    arrays = ".real = " + list_of<double>(w, "double", rescales, "factor",
                                          [](const Rescale& r) { return r.real; });
  else
    arrays = ".multiplier = " +
             list_of<std::int64_t>(w, "int32_t", rescales, "multiplier",
                                   [](const Rescale& r) { return r.multiplier; }) +
             ", .shift = " +
             list_of<std::int64_t>(w, "int32_t", rescales, "shift",
                                   [](const Rescale& r) { return r.shift; });
  w.field("scale",
          "{.q = {" + arrays + ", .zero = " + std::to_string(y.quant.zero_at(0)) +
              ", .low = " + std::to_string(clamp.low) + ", .high = " + std::to_string(clamp.high) +
              "},\n              .steps = " + std::string(steps) +
              (rules.half_up() > 0 ? ", .half_up = " + std::to_string(rules.half_up()) : "") +
              ", .by = " + (rescales.size() > 1 ? "1" : "0") + ", .type = " + element_of(y.dtype) +
              ", .wide = " + (rules.rule().wide ? "1" : "0") + "}");
  w.uses("ls_codes.c");
  return {};
}

namespace {

// As they are, after the flip.
WeightZeros plain_zeros(const Value& weights, std::int64_t outputs) {
  const auto& zeros = weights.quant.zero;
  const std::int64_t flip = flip_of(weights);
  WeightZeros out;
  if (std::ranges::all_of(zeros, [&](std::int32_t z) { return z == zeros[0]; })) {
    out.all = weights.quant.zero_at(0) - flip;
    return out;
  }
  for (std::int64_t o = 0; o < outputs; ++o)
    out.each.push_back(weights.quant.zero_at(static_cast<std::size_t>(o)) - flip);
  return out;
}

}  // namespace

void write_any_operands(NodeWriter& w, std::span<const std::int64_t> codes, const Tensor* bias,
                        std::int64_t outputs) {
  const NodeView& v = w.view();
  w.field("x_zero", v.input(0).quant.zero_at(0));
  write_weight_zeros(w, plain_zeros(v.input(1), outputs));
  w.field("x_type", element_of(v.input(0).dtype));
  w.field("weights", w.constants().add("int8_t", codes, w.label() + "_weights"));
  write_wide_bias(w, bias, outputs);
}

void write_wide_bias(NodeWriter& w, const Tensor* bias, std::int64_t outputs) {
  if (!bias) return;
  std::vector<std::int64_t> values;
  for (std::int64_t o = 0; o < outputs; ++o)
    values.push_back(bias->code(bias->count() == 1 ? 0 : o));
  w.field("bias",
          w.constants().add("int64_t", std::span<const std::int64_t>(values), w.label() + "_bias"));
}

Result<void> write_conv_any(NodeWriter& w, const Window& g, std::span<const std::int64_t> codes,
                            const SumRules& rules) {
  const NodeView& v = w.view();
  if (!rules.rule().policy) return w.unsupported(v.node.op + " on codes");
  write_window(w, g, rules.channels());
  write_any_operands(w, codes, v.constant(2), rules.channels());
  LOCKSTEP_CHECK(write_scaler(w, rules));
  w.uses("ls_window_any.c");
  w.line("ls_conv_any(" + w.params("ls_conv_any_p") + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

Result<void> write_matmul_any(NodeWriter& w, const RequantPolicy* policy) {
  const NodeView& v = w.view();
  if (!policy) return w.unsupported("MatMul on codes");
  LOCKSTEP_TRY(const MatrixPlan p, matrix_plan(v));
  const std::int64_t count = count_of(p.outer);
  std::vector<std::int64_t> a_at, b_at;
  each_matrix(p, [&](std::int64_t, std::int64_t a, std::int64_t b) {
    a_at.push_back(a), b_at.push_back(b);
  });
  const auto step = [&](const std::vector<std::int64_t>& at) {
    return count > 1 ? at[1] - at[0] : 0;
  };
  for (std::size_t i = 0; i < a_at.size(); ++i)
    if (a_at[i] != static_cast<std::int64_t>(i) * step(a_at) ||
        b_at[i] != static_cast<std::int64_t>(i) * step(b_at))
      return w.unsupported("matrices spread over inner axes");
  const auto& zeros = v.input(1).quant.zero;
  w.field("count", count);
  w.field("m", p.m), w.field("n", p.n), w.field("k", p.k);
  w.field("a_step", step(a_at) * p.m * p.k), w.field("b_step", step(b_at) * p.k * p.n);
  w.field("a_row", p.trans_a ? 1 : p.k), w.field("a_col", p.trans_a ? p.m : 1);
  w.field("b_row", p.trans_b ? 1 : p.n), w.field("b_col", p.trans_b ? p.k : 1);
  w.field("a_zero", v.input(0).quant.zero_at(0)), w.field("b_zero", v.input(1).quant.zero_at(0));
  if (std::ranges::any_of(zeros, [&](std::int32_t z) { return z != zeros[0]; }))
    w.field("b_zeros",
            w.constants().add("int32_t", std::vector<std::int64_t>(zeros.begin(), zeros.end()),
                              w.label() + "_zeros"));
  w.field("a_type", element_of(v.input(0).dtype)), w.field("b_type", element_of(v.input(1).dtype));
  const bool words = v.input(0).dtype == DType::i16;
  LOCKSTEP_CHECK(write_scaler(w, SumRules({policy, words && !has_narrow_bias(v)}, p.n)));
  w.uses("ls_sums_any.c");
  w.line("ls_matmul_any(" + w.params("ls_matmul_any_p") + ", " + w.in(0) + ", " + w.in(1) + ", " +
         w.out(0) + ");");
  return {};
}

Result<void> write_pool_any(NodeWriter& w, const Window& g, const std::string& function) {
  const Value& y = w.view().output(0);
  const CodeRange range = code_range(y.dtype);
  CodeClamp clamp{static_cast<std::int32_t>(range.low), static_cast<std::int32_t>(range.high)};
  if (y.quant.quantized()) clamp = clamp_of(w.view());
  write_window(w, g, g.channels);
  if (y.quant.quantized()) w.field("empty", y.quant.zero_at(0));
  w.field("low", clamp.low);
  w.field("high", clamp.high);
  w.field("type", element_of(y.dtype));
  w.uses("ls_window_any.c");
  w.uses("ls_codes.c");
  w.line(function + "(" + w.params("ls_pool_any_p") + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

namespace {

// Window of a transposed convolution, seen from its output; weights as [output][tap][channel].
Result<Window> transposed_window(const NodeWriter& w) {
  const NodeView& v = w.view();
  const Shape &x = v.input(0).shape, &k = v.input(1).shape, &y = v.output(0).shape;
  if (x.size() < 3 || x.size() > 5) return w.unsupported("more than three spatial axes");
  const std::size_t rank = x.size() - 2;
  Window g;
  g.channels_last = v.attrs().text("layout", "NCHW") == "NHWC";
  const bool filters_first = v.attrs().text("weights", "IOHW") == "OHWI";
  const std::size_t first = g.channels_last ? 1 : 2;
  g.batch = x[0], g.channels = g.channels_last ? x.back() : x[1];
  const std::vector<std::int64_t> ones(rank, 1), none(2 * rank, 0);
  const auto strides = v.attrs().integers("strides", ones),
             dilations = v.attrs().integers("dilations", ones),
             pads = v.attrs().integers("pads", none);
  for (std::size_t d = 0; d < rank; ++d) {
    const std::size_t to = 3 - rank + d;
    g.in[to] = x[first + d], g.out[to] = y[first + d];
    g.kernel[to] = k[(filters_first ? 1 : 2) + d];
    g.strides[to] = strides.empty() ? 1 : strides[d];
    g.dilations[to] = dilations.empty() ? 1 : dilations[d];
    g.begin[to] = pads.empty() ? 0 : pads[d];
  }
  return g;
}

// Filters in the order of ls_conv_any: [group][filter][tap][channel].
template <class T, class F>
std::vector<T> transposed_filters(const NodeView& v, std::int64_t group, F&& at) {
  const Shape& k = v.input(1).shape;
  const bool first = v.attrs().text("weights", "IOHW") == "OHWI";
  const std::int64_t filters = first ? k[0] : k[1], channels = (first ? k.back() : k[0]) / group,
                     taps = count_of(k) / (filters * channels * group);
  std::vector<T> out;
  for (std::int64_t g = 0; g < group; ++g)
    for (std::int64_t o = 0; o < filters; ++o)
      for (std::int64_t t = 0; t < taps; ++t)
        for (std::int64_t c = 0; c < channels; ++c)
          out.push_back(at(first ? (o * taps + t) * channels + c
                                 : ((g * channels + c) * filters + o) * taps + t));
  return out;
}

Result<void> emit_transposed(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &x = v.input(0), &y = v.output(0);
  if (!v.constant(1) || (v.has_input(2) && !v.constant(2)))
    return w.unsupported("computed weights");
  LOCKSTEP_TRY(const Window g, transposed_window(w));
  const std::int64_t group = v.attrs().integer("group", 1),
                     outputs = g.channels_last ? y.shape.back() : y.shape[1];
  w.field("group", group);
  if (is_real(v)) {
    const auto weights = transposed_filters<double>(
        v, group, [&](std::int64_t i) { return v.constant(1)->number(i); });
    return write_real_window(w, g, weights, outputs, true);
  }
  LOCKSTEP_CHECK(plain_products(w));
  if (!is_short_code(x) || !is_short_code(y) || !is_code(v.input(1)) || !is_narrow(v.input(1)))
    return w.unsupported("ConvTranspose of " + std::string(name_of(x.dtype)));
  if (half_up_elements(v) > 0) return w.unsupported("LiteRT's rounding of 16 codes at once");
  w.field("transposed", 1);
  const auto codes = transposed_filters<std::int64_t>(
      v, group, [&](std::int64_t i) { return v.constant(1)->code(i) - flip_of(v.input(1)); });
  return write_conv_any(w, g, codes, SumRules(outputs, [&](std::int64_t o) {
                          return transposed_sums(v, w.num(), o, outputs);
                        }));
}

constexpr NodeEmitter table[] = {{"ConvTranspose", nullptr, emit_transposed}};

}  // namespace

std::span<const NodeEmitter> any_emitters() {
  return table;
}

}  // namespace lockstep
