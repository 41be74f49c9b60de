// Convolutions of float activations under weights in codes.
#include <algorithm>

#include "num/tflite_policies.h"
#include "num/xnnpack_float.h"
#include "op/op_codes.h"
#include "op/op_conv.h"
#include "op/op_fused.h"
#include "op/op_hybrid.h"
#include "op/op_sums.h"

namespace lockstep {
namespace {

// N88: a window of one element that reads every pixel once is computed as a layer on pixels.
bool by_pixel(const EvalContext& c, const Window& g, const ConvLayout& l) {
  return c.num.hybrid->always_asymmetric && c.in[1]->dtype() == DType::i8 && g.channels_last &&
         l.group == 1 && g.kernel_count() == 1 && g.in_count() == g.out_count();
}

}  // namespace

Result<void> conv_hybrid(EvalContext& c, const Window& g, const ConvLayout& l) {
  if (!c.num.hybrid) return no_policy(c.view, "Conv of float activations and coded weights");
  const QuantParams& wq = c.view.input(1).quant;
  const bool depthwise = l.out_axis != 0;
  const bool by_channel =
      depthwise || std::ranges::any_of(wq.scale, [&](double s) { return s != wq.scale[0]; });
  const bool old = c.in[1]->dtype() == DType::u8,
             left = sums_from_bias(c.num) && (depthwise || old);  // left to LiteRT
  const HybridPolicy& coding = left ? tflite_hybrid : *c.num.hybrid;
  const std::int64_t rows = g.batch * (by_pixel(c, g, l) ? g.in_count() : 1);
  const std::size_t row = static_cast<std::size_t>(c.in[0]->count() / rows);
  std::vector<std::int8_t> codes(row * static_cast<std::size_t>(rows));
  std::vector<float> scale(static_cast<std::size_t>(rows));
  std::vector<std::int32_t> x(codes.size());
  for (std::size_t n = 0; n < scale.size(); ++n) {
    const auto in = c.in[0]->as<float>().subspan(n * row, row);
    const std::span<std::int8_t> out(codes.data() + n * row, row);
    std::int32_t zero = 0;
    if (by_channel || coding.always_asymmetric)
      coding.asymmetric(in, out, scale[n], zero);
    else
      coding.symmetric(in, out, scale[n]);
    for (std::size_t i = 0; i < row; ++i) x[n * row + i] = out[i] - zero;
  }
  const auto w = packed_weights<std::int32_t>(hybrid_weights(*c.in[1]), l, g);
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const Activation act = activation_of(c.view);
  const auto y = c.out[0].as<float>();
  convolve<std::int64_t>(
      g, l, packed_input<std::int32_t>(x, g), w,
      [&](std::int64_t n, std::int64_t o, std::int64_t p, std::int64_t sum) {
        const auto ws = static_cast<float>(wq.scale_at(static_cast<std::size_t>(o)));
        const float xs =
                        scale[static_cast<std::size_t>(rows == g.batch ? n : n * g.in_count() + p)],
                    acc = static_cast<float>(sum);
        const float start = bias ? bias->as<float>()[static_cast<std::size_t>(o)] : 0.f;
        float real = 0;
        if (sums_from_bias(c.num) &&
            (depthwise || !old)) {  // N88; depthwise: LiteRT's vectors of four channels, and what
                                    // is left of them
          const bool together = o < l.out_channels / 4 * 4;
          real = !depthwise ? fused_hybrid(acc, xs, ws, start)
                            : (together ? acc * ws * xs : acc * xs * ws) + start;
        } else {
          real = depthwise || !by_channel ? acc * (ws * xs) : acc * ws * xs;
          if (bias) real += start;
        }
        y[static_cast<std::size_t>(g.index(n, o, p, g.out_count(), l.out_channels))] =
            activate(act, real);
      });
  return {};
}

}  // namespace lockstep
