// Functions of one real to C.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "emit/finish.h"
#include "num/real_functions.h"
#include "num/tflite_policies.h"
#include "num/xnnpack_float.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

// One function of rt/ls_map.c with its parameters, as the operator has them.
struct RealFunction {
  std::string_view op, name;
  double a_fallback = 0, b_fallback = 0;
  const char *a_attribute = nullptr, *b_attribute = nullptr;
};
constexpr RealFunction real_functions[] = {
    {"Abs", "ls_absolute"},
    {"Ceil", "ls_ceil"},
    {"Celu", "ls_celu", 1, 0, "alpha"},
    {"Cos", "ls_cos"},
    {"Elu", "ls_elu", 1, 0, "alpha"},
    {"Erf", "ls_erf"},
    {"Exp", "ls_exp"},
    {"Floor", "ls_floor"},
    {"HardSigmoid", "ls_hard_sigmoid", 0.2f, 0.5, "alpha", "beta"},
    {"HardSwish", "ls_hard_swish"},
    {"BoundedRelu", "ls_held", 0, std::numeric_limits<double>::infinity(), "low", "high"},
    {"LeakyRelu", "ls_leaky", 0.01f, 0, "alpha"},
    {"Log", "ls_log"},
    {"Mish", "ls_mish"},
    {"Reciprocal", "ls_reciprocal_of"},
    {"Round", "ls_round_even"},
    {"Rsqrt", "ls_rsqrt"},
    {"Selu", "ls_selu", 1.67326319217681884765625f, 1.05070102214813232421875f, "alpha", "gamma"},
    {"Sign", "ls_sign"},
    {"Sin", "ls_sin"},
    {"Softplus", "ls_softplus"},
    {"Softsign", "ls_softsign"},
    {"Sqrt", "ls_sqrt"},
    {"ThresholdedRelu", "ls_thresholded", 1, 0, "alpha"},
    {"Sigmoid", "ls_sigmoid"},
    {"Tanh", "ls_tanh"},
};

Result<void> write_function(NodeWriter& w, std::string_view name, double a, double b) {
  w.uses("ls_map.c");
  w.line("ls_map_f32(" + std::string(name) + ", " + c_double(a) + ", " + c_double(b) + ", " +
         w.in(0, "float") + ", " + w.out(0, "float") + ", " + count_text(w) + ");");
  return {};
}

Result<void> write_clip(NodeWriter& w) {
  const NodeView& v = w.view();
  double bounds[2] = {-std::numeric_limits<double>::infinity(),
                      std::numeric_limits<double>::infinity()};
  for (std::size_t i = 1; i < 3; ++i) {
    if (!v.has_input(i)) continue;
    if (!v.constant(i)) return w.unsupported("computed bounds");
    bounds[i - 1] = v.constant(i)->number(0);
  }
  return write_function(w, "ls_held", bounds[0], bounds[1]);
}

// Functions that onnxruntime computes in float32 by steps of its own (N47, N48).
struct SingleFunction {
  std::string_view op, name;
};
constexpr SingleFunction single_functions[] = {
    {"Log", "LS_SINGLE_LOG"},
    {"Erf", "LS_SINGLE_ERF"},
    {"Elu", "LS_SINGLE_ELU"},
    {"Selu", "LS_SINGLE_SELU"},
    {"Softplus", "LS_SINGLE_SOFTPLUS"},
    {"Mish", "LS_SINGLE_MISH"},
    {"Softsign", "LS_SINGLE_SOFTSIGN"},
    {"HardSigmoid", "LS_SINGLE_HARD_SIGMOID"},
    {"HardSwish", "LS_SINGLE_HARD_SWISH"},
    {"Celu", "LS_SINGLE_CELU"},
};

Result<void> write_single(NodeWriter& w, std::string_view name) {
  const auto f =
      std::ranges::find(real_functions, std::string_view(w.view().node.op), &RealFunction::op);
  double a = 0, b = 0;
  if (f != std::end(real_functions)) {
    a = f->a_attribute ? w.view().attrs().real(f->a_attribute, f->a_fallback) : 0;
    b = f->b_attribute ? w.view().attrs().real(f->b_attribute, f->b_fallback) : 0;
  }
  w.uses("ls_single.c"), w.uses("ls_real.c");
  w.line("ls_single_f32(" + std::string(name) + ", " + c_float(static_cast<float>(a)) + ", " +
         c_float(static_cast<float>(b)) + ", " + w.in(0, "float") + ", " + w.out(0, "float") +
         ", " + count_text(w) + ");");
  return {};
}

}  // namespace

Result<void> write_real_function(NodeWriter& w) {
  const NodeView& v = w.view();
  const FloatPolicy& real = w.num().real;
  const std::string& op = v.node.op;
  if (op == "Neg") return write_real_map(w, "ls_neg_f32");
  if (op == "Relu") return write_real_map(w, "ls_relu_f32");
  if (op == "Clip") return write_clip(w);
  if (sums_from_bias(w.num())) {
    if (op == "Sigmoid" || op == "Tanh" || op == "HardSwish") {
      w.uses("ls_fused_real.c");
      return write_real_map(w, op == "Sigmoid" ? "ls_fused_sigmoid_f32"
                               : op == "Tanh"  ? "ls_fused_tanh_f32"
                                               : "ls_fused_hard_swish_f32");
    }
    if (op == "Exp" || op == "Elu") {
      w.uses("ls_fused_real.c"), w.uses("ls_real.c");
      const std::string alpha =
          op == "Exp" ? "" : c_float(static_cast<float>(v.attrs().real("alpha", 1))) + ", ";
      w.line((op == "Exp" ? "ls_fused_exp_f32(" : "ls_fused_elu_f32(") + alpha + w.in(0, "float") +
             ", " + w.out(0, "float") + ", " + count_text(w) + ");");
      return {};
    }
  }
  if (op == "Sigmoid" && real.sigmoid)
    return real.sigmoid == tflite_float_sigmoid ? write_function(w, "ls_sigmoid_single", 0, 0)
                                                : write_real_map(w, "ls_sigmoid_f32");
  if (op == "Tanh" && real.tanh) return write_real_map(w, "ls_tanh_f32");
  if (real.functions && real.functions->erf) {
    if (op == "Gelu")
      return write_single(w, w.view().attrs().text("approximate", "none") == "tanh"
                                 ? "LS_SINGLE_GELU_TANH"
                                 : "LS_SINGLE_GELU");
    for (const SingleFunction& f : single_functions)
      if (f.op == op) return write_single(w, f.name);
    if (op == "Exp") return write_real_map(w, "ls_exp_f32");
    // rt/ has the library's own: other bits than these steps'.
    if ((op == "Sin" && real.functions->sin) || (op == "Cos" && real.functions->cos))
      return w.unsupported(op + " of float32 in the runtime's own steps");
  }
  if (op == "Gelu")
    return v.attrs().text("approximate", "none") == "tanh"
               ? write_function(w, "ls_gelu_tanh", std::sqrt(2 / std::numbers::pi), 0)
               : write_function(w, "ls_gelu", std::numbers::sqrt2, 0);
  for (const RealFunction& f : real_functions)
    if (f.op == op)
      return write_function(
          w, f.name, f.a_attribute ? v.attrs().real(f.a_attribute, f.a_fallback) : f.a_fallback,
          f.b_attribute ? v.attrs().real(f.b_attribute, f.b_fallback) : f.b_fallback);
  return w.unsupported(op + " of float32");
}

}  // namespace lockstep
