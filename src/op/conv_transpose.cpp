// y[n,o,p*s - b + t*d] = act(bias[o] + sum_{p,t,c} x[n,g(o)*C + c,p] * w[c,o,t]); on codes x -
// x_zero, w - w_zero, requantized by x_scale * w_scale[o] / y_scale.
#include <algorithm>
#include <vector>

#include "base/text.h"
#include "num/xnnpack_float.h"
#include "op/op_codes.h"
#include "op/op_conv_transpose.h"
#include "op/op_sums.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"w"}, {"bias", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"layout", "NCHW", "axes of x and y: NCHW or NHWC, with any number of spatial axes"},
    {"weights", "IOHW", "axes of w: IOHW or OHWI"},
    {"group", "1", "input channels are read in so many groups"},
    {"strides", "1", "distance of the windows on each spatial axis of y"},
    {"dilations", "1", "step of the taps on each spatial axis of y"},
    {"pads", "0", "what is cut off before and after each spatial axis of y, all befores first"},
    {"shape", "", "spatial extents of y"},
    {"undelegated", "0",
     "1: XNNPACK does not take the node: SAME padding and strides beyond the window, an output "
     "shape that is computed, or uint8 weights that name an axis for one scale"},
    {"kernel", "",
     "left: rounded by LiteRT's own kernel where XNNPACK does not take the node (N55, N56)"},
    {"activation", "none", "fused activation"},
};

// Sums of products, first over the channels, then over the taps. add(n, o, position in y, sum).
template <class Sum, class T, class Add>
void spread(const TransposedWindow& p, const T* x, const T* w, Add&& add) {
  for (std::int64_t n = 0; n < p.batch; ++n)
    for (std::int64_t g = 0; g < p.group; ++g)
      for (std::int64_t o = 0; o < p.filters; ++o)
        each_meeting(p, [&](std::int64_t i, std::int64_t t, std::int64_t y) {
          Sum sum = 0;
          for (std::int64_t c = 0; c < p.channels; ++c)
            sum += static_cast<Sum>(x[p.x_at(n, g * p.channels + c, i)]) *
                   static_cast<Sum>(w[p.w_at(g, c, o, t)]);
          add(n, g * p.filters + o, y, sum);
        });
}

// The same through the arithmetic's matrix product: columns[o,t,i] = sum_c w[c,o,t] * x[c,i].
template <class Add>
void spread_by_matrix(const TransposedWindow& p, const FloatPolicy& real, const float* x,
                      const float* w, Add&& add) {
  const std::int64_t positions = TransposedWindow::product(p.in), rows = p.filters * p.taps();
  std::vector<float> columns(static_cast<std::size_t>(rows * positions));
  for (std::int64_t n = 0; n < p.batch; ++n)
    for (std::int64_t g = 0; g < p.group; ++g) {
      MatrixProblem m{rows,
                      positions,
                      p.channels,
                      w + g * p.channels * rows,
                      x + p.x_at(n, g * p.channels, 0),
                      columns.data()};
      m.a_transposed = true;
      real.matrix(m);
      for (std::int64_t o = 0; o < p.filters; ++o)
        each_meeting(p, [&](std::int64_t i, std::int64_t t, std::int64_t y) {
          add(n, g * p.filters + o, y,
              columns[static_cast<std::size_t>((o * p.taps() + t) * positions + i)]);
        });
    }
}

// N107: every element from its bias on, tap by tap, fused.
void spread_from_bias(EvalContext& c, const TransposedWindow& p) {
  const auto y = c.out[0].as<float>();
  const float *const x = c.in[0]->as<float>().data(), *const w = c.in[1]->as<float>().data();
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const std::int64_t x_step = p.channels > 1 ? p.x_at(0, 1, 0) : 1,
                     w_step = p.channels > 1 ? p.w_at(0, 1, 0, 0) : 1;
  for (std::int64_t n = 0; n < p.batch; ++n)
    for (std::int64_t o = 0; o < p.filters * p.group; ++o) {
      const std::int64_t g = o / p.filters;
      for (std::int64_t at = 0; at < TransposedWindow::product(p.out); ++at)
        y[static_cast<std::size_t>(p.y_at(n, o, at))] =
            bias ? bias->as<float>()[static_cast<std::size_t>(o)] : 0.f;
      each_meeting(p, [&](std::int64_t i, std::int64_t t, std::int64_t at) {
        float& sum = y[static_cast<std::size_t>(p.y_at(n, o, at))];
        sum = fused_from(sum, x + p.x_at(n, g * p.channels, i), x_step,
                         w + p.w_at(g, 0, o % p.filters, t), w_step, p.channels);
      });
    }
  const Activation act = activation_of(c.view);
  for (float& v : y) v = activate(act, v);
}

Result<void> eval_float(EvalContext& c, const TransposedWindow& p) {
  if (sums_from_bias(c.num) && c.view.input(1).constant &&
      c.view.attrs().text("kernel", "") != "left")
    return spread_from_bias(c, p), Result<void>();
  const auto y = c.out[0].as<float>();
  const auto x = c.in[0]->as<float>(), w = c.in[1]->as<float>();
  std::ranges::fill(y, 0.f);  // memory of a run before may hold anything
  const auto add = [&](std::int64_t n, std::int64_t o, std::int64_t at, float sum) {
    y[static_cast<std::size_t>(p.y_at(n, o, at))] += sum;
  };
  if (c.num.real.matrix && !p.channels_last && !p.filters_first)
    spread_by_matrix(p, c.num.real, x.data(), w.data(), add);
  else
    spread<float>(p, x.data(), w.data(), add);
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const Activation act = activation_of(c.view);
  for (std::int64_t n = 0; n < p.batch; ++n)
    for (std::int64_t o = 0; o < p.filters * p.group; ++o)
      for (std::int64_t at = 0; at < TransposedWindow::product(p.out); ++at) {
        float& element = y[static_cast<std::size_t>(p.y_at(n, o, at))];
        if (bias) element += bias->as<float>()[static_cast<std::size_t>(o)];
        element = activate(act, element);
      }
  return {};
}

Result<void> eval_codes(EvalContext& c, const TransposedWindow& p) {
  const Value &xv = c.view.input(0), &wv = c.view.input(1), &yv = c.view.output(0);
  const RequantPolicy* const plain = transposed_policy(c.view, c.num);
  if (!plain || (xv.dtype == DType::i16 && !plain->apply_wide))
    return no_policy(c.view, "ConvTranspose");
  const auto x = centred_codes(*c.in[0], xv.quant.zero_at(0)),
             w = centred_codes(*c.in[1], wv.quant.zero_at(0));
  std::vector<std::int64_t> sums(static_cast<std::size_t>(c.out[0].count()), 0);
  spread<std::int64_t>(p, x.data(), w.data(),
                       [&](std::int64_t n, std::int64_t o, std::int64_t at, std::int64_t sum) {
                         sums[static_cast<std::size_t>(p.y_at(n, o, at))] += sum;
                       });
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const CodeClamp clamp = clamp_of(c.view);
  const std::int64_t half_up = half_up_elements(c.view);
  for (std::int64_t o = 0; o < p.filters * p.group; ++o) {
    const auto [policy, wide] = transposed_sums(c.view, c.num, o, p.filters * p.group);
    const Rescale r = policy->prepare(
        xv.quant.scale_at(0), wv.quant.scale_at(static_cast<std::size_t>(o)), yv.quant.scale_at(0));
    for (std::int64_t n = 0; n < p.batch; ++n)
      for (std::int64_t at = 0; at < TransposedWindow::product(p.out); ++at) {
        const std::int64_t i = p.y_at(n, o, at),
                           sum = sums[static_cast<std::size_t>(i)] + (bias ? bias->code(o) : 0);
        const auto narrow = i < half_up ? litert_product.apply : policy->apply;
        const std::int64_t code =
            wide ? policy->apply_wide(sum, r) : narrow(static_cast<std::int32_t>(sum), r);
        store_code(c.out[0], i, clamp_code(code + yv.quant.zero_at(0), clamp.low, clamp.high));
      }
  }
  return {};
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const TransposedWindow p, transposed_window_of(n));
  const std::int64_t filters = p.filters * p.group;
  if (n.has_input(2) && count_of(n.input(2).shape) != filters)
    return Error{n.where(), "a bias of shape " + shape_text(n.input(2).shape),
                 std::to_string(filters) + " elements", ""};
  if (n.has_input(2) && n.input(0).dtype == DType::f32 && n.input(2).dtype != DType::f32)
    return Error{n.where(), "a bias of type " + std::string(name_of(n.input(2).dtype)),
                 "float32 as x", ""};
  Shape y{p.batch};
  if (!p.channels_last) y.push_back(filters);
  y.insert(y.end(), p.out.end() - static_cast<std::ptrdiff_t>(p.rank), p.out.end());
  if (p.channels_last) y.push_back(filters);
  return std::vector<Facts>{{code_type(n), y, {}}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const TransposedWindow p, transposed_window_of(c.view));
  const Value &x = c.view.input(0), &w = c.view.input(1);
  if (is_code(x) && is_code(w) && is_code(c.view.output(0))) return eval_codes(c, p);
  if (x.dtype == DType::f32 && w.dtype == DType::f32) return eval_float(c, p);
  return Error{c.view.where(),
               "x " + std::string(name_of(x.dtype)) + ", w " + std::string(name_of(w.dtype)),
               "float32 throughout, or codes throughout", ""};
}

Cost cost(const NodeView& n) {
  const auto p = transposed_window_of(n);
  return p.ok() ? Cost{count_of(n.input(0).shape) * p->filters * p->taps()} : Cost{};
}
constexpr Foreign from[] = {{Format::onnx, "ConvTranspose", conv_transpose_from_onnx},
                            {Format::tflite, "TRANSPOSE_CONV", conv_transpose_from_tflite}};

}  // namespace

extern constinit const OpDef op_conv_transpose = {
    .name = "ConvTranspose",
    .meaning = "every x is spread over a window of y, weighted by w",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
