#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace lockstep {

// Functions of 16-bit codes as TFLite computes them: by samples with straight lines between.
// docs/numerics.md N72.

// N72: 513 samples of f over the 16-bit codes, each moved by half the error that a straight line
// makes in the middle of its piece; between them straight lines in integers.
template <class Real, class F>
std::vector<std::int32_t> samples16(Real x_scale, std::int32_t x_zero, Real y_scale,
                                    std::int32_t y_zero, F&& f) {
  const Real x_min = x_scale * static_cast<Real>(-32768 - x_zero),
             x_max = x_scale * static_cast<Real>(32767 - x_zero);
  const Real y_min = y_scale * static_cast<Real>(-32768 - y_zero),
             y_max = y_scale * static_cast<Real>(32767 - y_zero);
  const Real step = (x_max - x_min) / 512, half = step / 2, inverse = 65536 / (y_max - y_min);
  std::vector<std::int32_t> out(513);
  const auto bounded = [](Real v) {
    return static_cast<std::int32_t>(std::min<Real>(std::max<Real>(v, -32768), 32767));
  };
  for (int i = 0; i < 512; ++i) {
    const Real at = x_min + static_cast<Real>(i) * step;
    const Real here = f(at), middle = f(at + half),
               next = f(x_min + static_cast<Real>(i + 1) * step);
    const Real line = std::round((next * inverse + std::round(here * inverse)) / 2);
    const Real error = line - std::round(middle * inverse);
    out[static_cast<std::size_t>(i)] = bounded(std::round(here * inverse) - std::round(error / 2));
  }
  out[512] = bounded(std::round(f(x_max) * inverse));
  return out;
}

// The line between the samples on both sides of a code.
std::int32_t between_samples(const std::vector<std::int32_t>& samples, std::int32_t code);

// x * 3 * 4096 in integers: a multiplier and a shift to the right, half up.
struct WideInput {
  std::int32_t multiplier, shift;
};
// `powers` are the shifts with which a step that is a power of two is used as it is.
WideInput wide_input(double x_scale, int powers);

// Sigmoid and tanh of a code as Q0.15, by 256 samples of the sigmoid.
std::int16_t wide_sigmoid(std::int32_t code, const WideInput& w);
std::int16_t wide_tanh(std::int32_t code, const WideInput& w);

}  // namespace lockstep
