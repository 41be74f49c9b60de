// y[n,c,o] = act(sum over the window of x[n,c,p] / n), n the positions inside (or in the padding
// too).
#include "op/op_held.h"
#include "op/op_marks.h"
#include "op/op_pool.h"
#include "op/op_pool_columns.h"
#include "op/op_qlinear.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"kernel_shape", "", "extents of the window"},
    {"layout", "NCHW", "NCHW or NHWC, with any number of spatial axes"},
    {"strides", "1", "step of the window on each spatial axis"},
    {"dilations", "1", "step of the taps on each spatial axis"},
    {"pads", "0", "positions before and after each spatial axis"},
    {"auto_pad", "NOTSET",
     "SAME_UPPER, SAME_LOWER (without the dilations) or VALID instead of pads"},
    {"ceil_mode", "0", "1: a last window may hang over the end"},
    {"count_include_pad", "0", "1: padding counts as zeros"},
    {"activation", "none", "fused activation"},
    {"kernel", "",
     "\"blocked\" or \"straight\": the runtime sums straight through the window (N45)"},
    codes_mark,
    makes_mark,
};

// Taps that lie inside the padded input: what count_include_pad divides by.
std::int64_t padded_taps(const Window& w, const Window::Axes& at) {
  std::int64_t taps = 1;
  for (std::size_t a = 0; a < 3; ++a) {
    std::int64_t inside = 0;
    for (std::int64_t k = 0; k < w.kernel[a]; ++k) {
      const std::int64_t p = at[a] * w.strides[a] + k * w.dilations[a];
      if (p < w.in[a] + w.begin[a] + w.end[a]) ++inside;
    }
    taps *= inside;
  }
  return taps;
}

template <class Sum, class Take>
void sums(const Window& w, const std::vector<Sum>& x, bool with_pads, Take&& take) {
  for (std::int64_t n = 0; n < w.batch; ++n)
    each_position(w, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
      for (std::int64_t ch = 0; ch < w.channels; ++ch) {
        Sum sum = 0;
        std::int64_t count = 0;
        each_tap(w, d, h, v, [&](std::int64_t at, std::int64_t) {
          sum += x[static_cast<std::size_t>(w.index(n, ch, at, w.in_count(), w.channels))];
          ++count;
        });
        if (with_pads) count = padded_taps(w, {d, h, v});
        take(w.index(n, ch, position, w.out_count(), w.channels), sum, count);
      }
    });
}

// The codes of every window, taps ascending; take(output element, codes, what to divide by).
template <class Take>
void windows(const Window& w, const std::vector<std::int32_t>& x, bool with_pads, Take&& take) {
  std::vector<std::int32_t> codes;
  for (std::int64_t n = 0; n < w.batch; ++n)
    each_position(w, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
      for (std::int64_t ch = 0; ch < w.channels; ++ch) {
        codes.clear();
        each_tap(w, d, h, v, [&](std::int64_t at, std::int64_t) {
          codes.push_back(
              x[static_cast<std::size_t>(w.index(n, ch, at, w.in_count(), w.channels))]);
        });
        const std::int64_t count =
            with_pads ? w.kernel_count() : static_cast<std::int64_t>(codes.size());
        take(w.index(n, ch, position, w.out_count(), w.channels), codes, count);
      }
    });
}

// The whole pooling in the arithmetic's own order of summation.
void eval_by_library(EvalContext& c, const Window& w) {
  WindowMeanProblem p = window_mean_problem(c.view, w);
  p.planes = w.batch * w.channels;
  p.x = c.in[0]->as<float>().data(), p.y = c.out[0].as<float>().data();
  c.num.real.window_mean(p);
}

Result<void> eval_codes(EvalContext& c, const Window& w, bool with_pads) {
  if (!c.num.average) return no_policy(c.view, "AveragePool");
  const Value &xv = c.view.input(0), &yv = c.view.output(0);
  const CodeClamp clamp = clamp_of(c.view);
  const AverageScales s{xv.quant.scale_at(0),
                        yv.quant.scale_at(0),
                        xv.quant.zero_at(0),
                        yv.quant.zero_at(0),
                        clamp.low,
                        clamp.high};
  const auto x = centred_codes(*c.in[0], 0);
  if (c.num.average->window) {  // distances from x_zero are the same however codes are held, sums
                                // with y_zero are not
    const std::int32_t shift = held_shift(c.view, yv);
    AverageScales shifted = s;
    shifted.y_zero += shift, shifted.low += shift, shifted.high += shift;
    windows(w, x, with_pads,
            [&](std::int64_t at, std::span<const std::int32_t> codes, std::int64_t count) {
              store_code(
                  c.out[0], at,
                  c.num.average->window(codes, static_cast<std::int32_t>(count), shifted) - shift);
            });
    return {};
  }
  sums<std::int32_t>(w, x, with_pads, [&](std::int64_t at, std::int32_t sum, std::int64_t count) {
    store_code(c.out[0], at,
               count == 0 ? yv.quant.zero_at(0)
                          : c.num.average->apply(sum, static_cast<std::int32_t>(count), s));
  });
  return {};
}

void eval_by_columns(EvalContext& c, const Window& w) {
  const Activation act = activation_of(c.view);
  for (std::int64_t n = 0; n < w.batch; ++n)
    each_position(w, [&](std::int64_t, std::int64_t h, std::int64_t v, std::int64_t position) {
      for (std::int64_t ch = 0; ch < w.channels; ++ch)
        c.out[0].as<float>()[static_cast<std::size_t>(
            w.index(n, ch, position, w.out_count(), w.channels))] =
            activate(act, average_by_columns(w, c.in[0]->as<float>().data(), n, ch, h, v));
    });
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Window w, pool_window(c.view));
  const bool with_pads = c.view.attrs().integer("count_include_pad", 0) != 0;
  if (is_code(c.view.input(0))) return eval_codes(c, w, with_pads);
  if (c.in[0]->dtype() != DType::f32)
    return Error{c.view.where(), "x of type " + std::string(name_of(c.in[0]->dtype())),
                 "float32 or codes", ""};
  if (averages_by_columns(c.num, w, with_pads)) return eval_by_columns(c, w), Result<void>();
  if (averages_by_library(c.view, c.num, w)) return eval_by_library(c, w), Result<void>();
  const auto in = c.in[0]->as<float>();
  const Activation act = activation_of(c.view);
  sums<float>(w, {in.begin(), in.end()}, with_pads,
              [&](std::int64_t at, float sum, std::int64_t count) {
                c.out[0].as<float>()[static_cast<std::size_t>(at)] =
                    count == 0 ? 0.f : activate(act, sum / static_cast<float>(count));
              });
  return {};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return pool_from_tflite(f, graph, "AveragePool");
}

// From opset 19 on the runtime sums straight through the window (N45).
Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"auto_pad", "ceil_mode", "count_include_pad", "dilations",
                                      "kernel_shape", "pads", "strides"}));
  LOCKSTEP_CHECK(pads_within_window(f));
  Attrs a = f.attrs;
  if (f.version >= 19) a.set("kernel", std::string("straight"));
  return add_like(f, graph, "AveragePool", f.inputs, std::move(a));
}

constexpr Foreign from[] = {
    {Format::onnx, "com.microsoft:QLinearAveragePool", from_qlinear_average_pool},
    {Format::onnx, "AveragePool", from_onnx},
    {Format::tflite, "AVERAGE_POOL_2D", from_tflite}};

}  // namespace

extern constinit const OpDef op_average_pool = {
    .name = "AveragePool",
    .meaning = "y = act(mean of x over the window)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = pool_facts,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
