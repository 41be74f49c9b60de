// y = f(windows of x) for ll_sw_forward_conv, _conv_integer and _pool
#include "npu/described_cells.h"

namespace lockstep::described {
namespace {

struct WindowForm {
  std::int64_t top = 0, left = 0, sh = 1, sw = 1, dh = 1, dw = 1;
};
Result<WindowForm> window_form(const Call& c) {
  const auto pads = numbers(c.info, "pads"), strides = numbers(c.info, "strides"),
             dilations = numbers(c.info, "dilations");
  WindowForm w;
  if (pads.size() == 4) w.top = pads[0], w.left = pads[1];
  if (strides.size() == 2) w.sh = strides[0], w.sw = strides[1];
  if (dilations.size() == 2) w.dh = dilations[0], w.dw = dilations[1];
  if (w.sh < 1 || w.sw < 1 || w.dh < 1 || w.dw < 1 || w.top < 0 || w.left < 0 || w.sh > 64 ||
      w.sw > 64 || w.dh > 4096 || w.dw > 4096 || w.top > 4096 || w.left > 4096)
    return c.wrong("strides, dilations or pads", "positive ones");
  return w;
}

// Sums over windows: sum(oy, ox, k) of x(y, x, c) * w(k, i, j, c); X and W yield by position.
template <class T, class X, class W, class F>
Result<void> convolve(const Call& c, const Cells& weights, X x, W w, F leave) {
  LOCKSTEP_TRY(const WindowForm f, window_form(c));
  const std::int64_t groups = std::max<std::int64_t>(1, number(c.info, "ngroup", 1)),
                     outs = c.out.extent[3], per = weights.extent[3];
  if (weights.extent[0] != outs || outs % groups != 0 || per * groups != c.in.extent[3] ||
      c.in.extent[0] != c.out.extent[0])
    return c.wrong(fmt::format("weights of {} x {} in {} groups for {} to {} channels",
                               weights.extent[0], per, groups, c.in.extent[3], outs),
                   "weights that fit");
  const std::int64_t macs = c.out.count() * per * weights.extent[1] * weights.extent[2];
  if (macs > (std::int64_t{1} << 34))
    return c.wrong("more than 2^34 products", "a network for a microcontroller");
  c.counts.macs += macs;
  for (std::int64_t b = 0; b < c.out.extent[0]; ++b)
    for (std::int64_t oy = 0; oy < c.out.extent[1]; ++oy)
      for (std::int64_t ox = 0; ox < c.out.extent[2]; ++ox)
        for (std::int64_t k = 0; k < outs; ++k) {
          T sum = 0;
          const std::int64_t base = k / (outs / groups) * per;
          for (std::int64_t i = 0; i < weights.extent[1]; ++i)
            for (std::int64_t j = 0; j < weights.extent[2]; ++j) {
              const std::int64_t iy = oy * f.sh + i * f.dh - f.top,
                                 ix = ox * f.sw + j * f.dw - f.left;
              if (iy < 0 || ix < 0 || iy >= c.in.extent[1] || ix >= c.in.extent[2]) continue;
              for (std::int64_t q = 0; q < per; ++q)
                sum += x(((b * c.in.extent[1] + iy) * c.in.extent[2] + ix) * c.in.extent[3] + base +
                         q) *
                       w(((k * weights.extent[1] + i) * weights.extent[2] + j) * per + q);
            }
          leave(static_cast<std::size_t>(
                    ((b * c.out.extent[1] + oy) * c.out.extent[2] + ox) * outs + k),
                static_cast<std::size_t>(k), sum);
        }
  return {};
}

}  // namespace

Result<void> conv_integer(const Call& c) {
  LOCKSTEP_TRY(const Cells weights, cells(c.info, "weights", c.where));
  LOCKSTEP_TRY(const Quant qx, quant(c.info, "is", "izp", c.in.extent[3], c.memory, c.where));
  LOCKSTEP_TRY(const Quant qw, quant(c.info, "ws", "wzp", weights.extent[0], c.memory, c.where));
  LOCKSTEP_TRY(const Quant qy, quant(c.info, "os", "ozp", c.out.extent[3], c.memory, c.where));
  LOCKSTEP_TRY(const auto x, load<std::int64_t>(c.in, c.memory, c.where));
  LOCKSTEP_TRY(const auto w, load<std::int64_t>(weights, c.memory, c.where));
  std::vector<std::int64_t> bias(static_cast<std::size_t>(c.out.extent[3]), 0),
      y(static_cast<std::size_t>(c.out.count()));
  if (described_address(c.info, "bias") != 0) {
    LOCKSTEP_TRY(const Cells b, cells(c.info, "bias", c.where));
    LOCKSTEP_TRY(bias, load<std::int64_t>(b, c.memory, c.where));
    if (bias.size() != static_cast<std::size_t>(c.out.extent[3]))
      return c.wrong(fmt::format("{} biases", bias.size()), "one for each output");
  }
  const std::int64_t per = weights.extent[3], one = weights.extent[1] * weights.extent[2] * per;
  const auto feature = [&](std::int64_t i) { return x[static_cast<std::size_t>(i)] - qx.z(0); };
  const auto weight = [&](std::int64_t i) {
    return w[static_cast<std::size_t>(i)] - qw.z(static_cast<std::size_t>(i / one));
  };
  c.counts.inexact.push_back(c.where +
                             ": CPU convolution by the library's model, at most 1 LSB is claimed");
  LOCKSTEP_CHECK(convolve<std::int64_t>(
      c, weights, feature, weight, [&](std::size_t i, std::size_t k, std::int64_t acc) {
        y[i] = code_of(static_cast<double>(acc + bias[k]) * (qx.s(0) * qw.s(k) / qy.s(0)), 1,
                       qy.z(0), c.out);
      }));
  return store(c.out, y, c.memory, c.where);
}

Result<void> conv_float(const Call& c) {
  LOCKSTEP_TRY(const Cells weights, cells(c.info, "weights", c.where));
  LOCKSTEP_TRY(const auto x, load<float>(c.in, c.memory, c.where));
  LOCKSTEP_TRY(const auto w, load<float>(weights, c.memory, c.where));
  std::vector<float> bias(static_cast<std::size_t>(c.out.extent[3]), 0),
      y(static_cast<std::size_t>(c.out.count()));
  if (described_address(c.info, "bias") != 0) {
    LOCKSTEP_TRY(const Cells b, cells(c.info, "bias", c.where));
    LOCKSTEP_TRY(bias, load<float>(b, c.memory, c.where));
    if (bias.size() != static_cast<std::size_t>(c.out.extent[3]))
      return c.wrong(fmt::format("{} biases", bias.size()), "one for each output");
  }
  const auto feature = [&](std::int64_t i) { return x[static_cast<std::size_t>(i)]; };
  const auto weight = [&](std::int64_t i) { return w[static_cast<std::size_t>(i)]; };
  LOCKSTEP_CHECK(
      convolve<float>(c, weights, feature, weight,
                      [&](std::size_t i, std::size_t k, float acc) { y[i] = acc + bias[k]; }));
  return store(c.out, y, c.memory, c.where);
}

Result<void> pool_float(const Call& c, const std::string& type) {
  const bool average = type == "LL_SW_AVGPOOL" || type == "LL_SW_GLOBAL_AVGPOOL";
  if (!average && type != "LL_SW_MAXPOOL" && type != "LL_SW_GLOBAL_MAXPOOL")
    return c.wrong("pooling " + type, "LL_SW_MAXPOOL or LL_SW_AVGPOOL");
  LOCKSTEP_TRY(const WindowForm f, window_form(c));
  auto k = numbers(c.info, "k_shape");
  if (k.size() != 2) k = {c.in.extent[1], c.in.extent[2]};
  if (k[0] < 1 || k[1] < 1 || k[0] > 4096 || k[1] > 4096 || c.in.extent[3] != c.out.extent[3] ||
      c.in.extent[0] != c.out.extent[0])
    return c.wrong(fmt::format("a window of {} x {} for {} to {} channels", k[0], k[1],
                               c.in.extent[3], c.out.extent[3]),
                   "as many channels");
  LOCKSTEP_TRY(const auto x, load<float>(c.in, c.memory, c.where));
  std::vector<float> y;
  for (std::int64_t b = 0; b < c.out.extent[0]; ++b)
    for (std::int64_t oy = 0; oy < c.out.extent[1]; ++oy)
      for (std::int64_t ox = 0; ox < c.out.extent[2]; ++ox)
        for (std::int64_t q = 0; q < c.out.extent[3]; ++q) {
          float sum = 0, most = -INFINITY;
          int n = 0;
          for (std::int64_t i = 0; i < k[0]; ++i)
            for (std::int64_t j = 0; j < k[1]; ++j) {
              const std::int64_t iy = oy * f.sh + i - f.top, ix = ox * f.sw + j - f.left;
              if (iy < 0 || ix < 0 || iy >= c.in.extent[1] || ix >= c.in.extent[2]) continue;
              const float v = x[static_cast<std::size_t>(
                  ((b * c.in.extent[1] + iy) * c.in.extent[2] + ix) * c.in.extent[3] + q)];
              sum += v, most = std::max(most, v), ++n;
            }
          y.push_back(average ? sum / static_cast<float>(std::max(n, 1)) : most);
        }
  return store(c.out, y, c.memory, c.where);
}

}  // namespace lockstep::described
