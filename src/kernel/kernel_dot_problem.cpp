#include <algorithm>
#include <cstdlib>

#include "kernel/kernel_dot.h"
#include "num/ort_codes.h"
#include "op/op_codes.h"
#include "op/op_conv_transpose.h"
#include "op/op_gemm.h"
#include "op/op_matrix.h"
#include "op/op_sums.h"

namespace lockstep {
namespace {

bool byte_code(const Value& v) {
  return is_code(v) && (v.dtype == DType::i8 || v.dtype == DType::u8);
}
bool word_code(const Value& v) {
  return is_code(v) && v.dtype == DType::i16 && !v.quant.per_channel() && v.quant.zero_at(0) == 0;
}

// Bias of one number for each output channel, as codes; false where it is anything else.
bool read_bias(const KernelProblem& p, std::int64_t oc, std::vector<std::int32_t>& bias) {
  bias.assign(static_cast<std::size_t>(oc), 0);
  if (!p.view.has_input(2)) return true;
  const Value& v = p.view.input(2);
  const Tensor* const t = p.constants[2];
  const bool is_wide = v.dtype == DType::i64 && p.view.input(0).dtype == DType::i16;
  if (!t || (v.dtype != DType::i32 && !is_wide) || (t->count() != oc && t->count() != 1))
    return false;
  if (!v.shape.empty() && v.shape.back() != t->count()) return false;
  for (std::int64_t o = 0; o < oc; ++o) {
    const std::int64_t b = t->code(t->count() == 1 ? 0 : o);
    if (b != static_cast<std::int32_t>(b)) return false;
    bias[static_cast<std::size_t>(o)] = static_cast<std::int32_t>(b);
  }
  return true;
}

bool set_finish(const KernelProblem& p, const SumRule& rule, double alpha, bool whole,
                DotProblem& d) {
  const RequantPolicy* const policy = rule.policy;
  const Value &xv = p.view.input(0), &wv = p.view.input(1), &yv = p.view.output(0);
  DotFinish& f = d.finish;
  d.y = yv.dtype;
  if (yv.dtype == DType::f32) {
    if (!p.num.to_real) return false;
    f.to_real = p.num.to_real;
    f.alpha = alpha;
    f.x_scale = xv.quant.scale_at(0);
    for (std::int64_t o = 0; whole && o < d.oc; ++o) {
      f.w_scale.push_back(wv.quant.scale_at(static_cast<std::size_t>(o)));
      if (f.to_real == ort_to_real)
        f.factor.push_back(ort_real_factor(alpha, f.x_scale, f.w_scale.back()));
    }
    return true;
  }
  const bool wide = xv.dtype == DType::i16;
  if (!policy || !(wide ? word_code(yv) : byte_code(yv))) return false;
  f.wide = wide && rule.wide;
  if (f.wide && !policy->apply_wide) return false;
  const double x_scale = alpha == 1 ? xv.quant.scale_at(0)
                                    : static_cast<double>(static_cast<float>(alpha) *
                                                          static_cast<float>(xv.quant.scale_at(0)));
  f.policy = policy;
  f.form = wide ? RequantForm::policy : requant_form(*policy);
  f.y_zero = yv.quant.zero_at(0);
  const CodeClamp clamp = clamp_of(p.view);
  f.low = clamp.low;
  f.high = clamp.high;
  if (!whole) return true;
  for (std::int64_t o = 0; o < d.oc; ++o) {
    const Rescale r = policy->prepare(x_scale, wv.quant.scale_at(static_cast<std::size_t>(o)),
                                      yv.quant.scale_at(0));
    f.rescale.push_back(r);
    f.factor.push_back(r.factor);
    f.multiplier.push_back(r.multiplier);
    f.left.push_back(std::max(r.shift, 0));
    f.right.push_back(std::max(-r.shift, 0));
  }
  return true;
}

void take_weights(const KernelProblem& p, DotWeights::Lie lie, std::int64_t taps, DotProblem& d) {
  d.w.take(*p.constants[1], lie, d.oc, taps);
  for (std::int64_t o = 0; o < d.oc; ++o)
    d.w.zero.push_back(p.view.input(1).quant.zero_at(static_cast<std::size_t>(o)));
}

// Rows of [tap][ic] of a transposed convolution's weights; the window is of as many taps.
void take_transposed(const KernelProblem& p, const TransposedWindow& t, DotProblem& d) {
  const std::byte* const codes = p.constants[1]->bytes().data();
  d.window.kernel = t.kernel;
  d.w.is_signed = p.view.input(1).dtype == DType::i8;
  d.w.depth = t.taps() * d.ic;
  d.w.own = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(d.oc * d.w.depth));
  d.w.codes = d.w.own.get();
  std::byte* to = d.w.own.get();
  for (std::int64_t o = 0; o < d.oc; ++o) {
    for (std::int64_t tap = 0; tap < t.taps(); ++tap)
      for (std::int64_t c = 0; c < d.ic; ++c)
        *to++ = codes[t.w_at(o / t.filters, c, o % t.filters, tap)];
    d.w.zero.push_back(p.view.input(1).quant.zero_at(0));
  }
}

std::optional<DotProblem> convolution(const KernelProblem& p, bool whole) {
  const Shape& w = p.view.input(1).shape;
  const std::size_t rank = w.size();
  if (rank < 3 || rank != p.view.input(0).shape.size()) return {};
  const std::string order = p.view.attrs().text("weights", "OIHW");
  const bool first = order == "OIHW", last = order == "1HWO";
  const std::vector<std::int64_t> kernel(w.begin() + (first ? 2 : 1), w.end() - (first ? 0 : 1));
  const auto window = window_of(p.view, p.view.input(0).shape, kernel);
  if (!window.ok()) return {};
  DotProblem d;
  d.window = *window;
  d.group = p.view.attrs().integer("group", 1);
  d.oc = last ? w.back() : w[0];
  d.ic = last ? w[0] : first ? w[1] : w.back();
  if (!set_finish(p, conv_sums(p.view, p.num), 1, whole, d) || d.y == DType::f32 ||
      !read_bias(p, d.oc, d.bias))
    return {};
  using Lie = DotWeights::Lie;
  if (whole)
    take_weights(p,
                 last    ? Lie::columns
                 : first ? Lie::taps_inside
                         : Lie::rows,
                 d.window.kernel_count(), d);
  return d;
}

// Rows of a times a constant matrix: positions times a window of one.
std::optional<DotProblem> product(const KernelProblem& p, bool whole) {
  const Shape &a = p.view.input(0).shape, &b = p.view.input(1).shape;
  const bool gemm = p.view.node.op == "Gemm";
  const bool trans_b = p.view.attrs().integer("transB", 0) != 0;
  if (b.size() != 2 || a.empty() || p.view.attrs().integer("transA", 0) != 0) return {};
  if (gemm && p.view.attrs().integer("flatten", 0) == 0 && a.size() != 2) return {};
  if (!gemm && (a.size() < 2 || a.back() != (trans_b ? b[1] : b[0]))) return {};
  DotProblem d;
  d.ic = trans_b ? b[1] : b[0];
  d.oc = trans_b ? b[0] : b[1];
  if (d.ic < 1 || d.oc < 1 || count_of(a) % d.ic != 0 || count_of(a) == 0) return {};
  d.window.channels_last = true;
  d.window.channels = d.ic;
  d.window.in[2] = d.window.out[2] = count_of(a) / d.ic;
  const bool layer = p.view.attrs().text("kernel", "") == "layer";
  const bool wide = p.view.input(0).dtype == DType::i16;
  if (wide && (!gemm || p.view.output(0).dtype != DType::i16)) return {};
  const SumRule rule = gemm                     ? dense_sums(p.view, p.num)
                       : layer || !p.num.matmul ? SumRule{p.num.dense}
                                                : SumRule{p.num.matmul};
  const double alpha = gemm ? p.view.attrs().real("alpha", 1) : 1;
  if (!set_finish(p, rule, alpha, whole, d) || !read_bias(p, d.oc, d.bias)) return {};
  // A product of zero points per column of a transposed b is another case of the operator.
  if (!gemm && trans_b && p.view.input(1).quant.zero.size() > 1) return {};
  if (whole) take_weights(p, trans_b ? DotWeights::Lie::rows : DotWeights::Lie::columns, 1, d);
  return d;
}

}  // namespace

std::optional<DotProblem> dot_problem(const KernelProblem& p, bool whole, bool wide) {
  // Sums that saturate or are held in pieces are not the exact sums of this kernel.
  if (p.num.pairs_saturate || p.num.product) return {};
  if (p.view.input_count() < 2 || !p.constants[1] || !byte_code(p.view.input(1)) ||
      !(wide ? word_code(p.view.input(0)) : byte_code(p.view.input(0))))
    return {};
  auto d = p.view.node.op == "Conv" ? convolution(p, whole) : product(p, whole);
  if (!d) return {};
  d->x = p.view.input(0).dtype;
  d->x_zero = p.view.input(0).quant.zero_at(0);
  return d;
}

std::optional<DotProblem> transposed_problem(const KernelProblem& p, bool whole, bool wide) {
  const NodeView& n = p.view;
  if (n.input_count() < 2 || !p.constants[1] || p.constants[0] || !byte_code(n.input(1)) ||
      !(wide ? word_code(n.input(0)) : byte_code(n.input(0))))
    return {};
  const auto window = transposed_window_of(n);
  if (!window.ok() || count_of(n.output(0).shape) == 0 || window->channels == 0) return {};
  DotProblem d;
  d.group = window->group;
  d.ic = window->channels;
  d.oc = window->filters * window->group;
  d.x = n.input(0).dtype;
  d.x_zero = n.input(0).quant.zero_at(0);
  if (half_up_elements(n) > 0) return {};
  const SumRule rule = transposed_sums(n, p.num, 0, d.oc);
  if (transposed_sums(n, p.num, d.oc - 1, d.oc).policy != rule.policy)
    return {};  // one rule for all channels
  if (!set_finish(p, rule, 1, whole, d) || d.y == DType::f32 || !read_bias(p, d.oc, d.bias))
    return {};
  if (whole) take_transposed(p, *window, d);
  return d;
}

std::optional<DotProblem> computed_product(const KernelProblem& p) {
  if (p.num.pairs_saturate || p.num.product || p.view.node.op != "MatMul") return {};
  const Value &a = p.view.input(0), &b = p.view.input(1);
  if (!byte_code(a) || !byte_code(b) || (p.constants[0] && p.constants[1])) return {};
  const auto plan = matrix_plan(p.view);
  if (!plan.ok() || plan->m * plan->n * plan->k * count_of(plan->outer) == 0) return {};
  // Zero points per column of a transposed b are another case of the operator.
  if (plan->trans_b && b.quant.zero.size() > 1) return {};
  DotProblem d;
  d.x = a.dtype;
  d.x_zero = a.quant.zero_at(0);
  d.ic = plan->k;
  d.oc = plan->n;
  d.window.channels_last = true;
  d.window.channels = d.ic;
  d.window.in[2] = d.window.out[2] = plan->m;
  d.bias.assign(static_cast<std::size_t>(d.oc), 0);
  const bool layer = p.view.attrs().text("kernel", "") == "layer";
  if (!set_finish(p, {layer || !p.num.matmul ? p.num.dense : p.num.matmul}, 1, true, d)) return {};
  return d;
}

bool sums_fit(const DotProblem& d) {
  const std::int64_t depth = d.window.kernel_count() * d.ic;
  for (std::int64_t o = 0; o < d.oc; ++o) {
    std::int64_t most = std::abs(std::int64_t{d.bias[static_cast<std::size_t>(o)]});
    for (std::int64_t k = 0; k < depth; ++k) most += std::int64_t{32768} * std::abs(d.w.at(o, k));
    if (most > 2147483647) return false;
  }
  return true;
}

}  // namespace lockstep
