// Exact reals, rounded once, ties to even: the arithmetic in which faults are tested.
#include <algorithm>
#include <cmath>

#include "support/fault_problem.h"

namespace lockstep::test {
namespace {

std::int32_t nearest_code(double v) {
  return static_cast<std::int32_t>(std::nearbyint(v));
}

constexpr RequantPolicy requant = {
    "plain",
    [](double x, double w, double y) {
      return Rescale{0, 0, static_cast<float>(x * w / y)};
    },
    [](std::int32_t acc, const Rescale& r) {
      return nearest_code(static_cast<double>(acc) * static_cast<double>(r.factor));
    },
};

template <class F>
std::int32_t clamped(const BinaryState& state, F real) {
  const BinaryScales& s = state.s;
  return std::clamp(nearest_code(real() / s.y_scale) + s.y_zero, s.low, s.high);
}

constexpr BinaryPolicy add = {
    "plain",
    [](const BinaryScales& s) {
      return BinaryState{s, {}, {}, {}, 0};
    },
    [](std::int32_t a, std::int32_t b, const BinaryState& state) {
      const BinaryScales& s = state.s;
      return clamped(state,
                     [&] { return s.a_scale * (a - s.a_zero) + s.b_scale * (b - s.b_zero); });
    },
};
constexpr BinaryPolicy sub = {
    "plain",
    add.prepare,
    [](std::int32_t a, std::int32_t b, const BinaryState& state) {
      const BinaryScales& s = state.s;
      return clamped(state,
                     [&] { return s.a_scale * (a - s.a_zero) - s.b_scale * (b - s.b_zero); });
    },
};
constexpr BinaryPolicy mul = {
    "plain",
    add.prepare,
    [](std::int32_t a, std::int32_t b, const BinaryState& state) {
      const BinaryScales& s = state.s;
      return clamped(state,
                     [&] { return s.a_scale * (a - s.a_zero) * s.b_scale * (b - s.b_zero); });
    },
};

constexpr QuantizePolicy quantize = {
    "plain",
    [](float real, float scale, std::int32_t zero, std::int32_t low, std::int32_t high) {
      return std::clamp(nearest_code(static_cast<double>(real / scale)) + zero, low, high);
    },
    [](std::int32_t code, float scale, std::int32_t zero) {
      return static_cast<float>(code - zero) * scale;
    },
    [](std::int32_t code, double xs, std::int32_t xz, double ys, std::int32_t yz, std::int32_t low,
       std::int32_t high) {
      return std::clamp(nearest_code(xs * (code - xz) / ys) + yz, low, high);
    },
};

constexpr AveragePolicy average = {
    "plain",
    [](std::int32_t sum, std::int32_t n, const AverageScales& s) {
      const double real =
          s.x_scale * (static_cast<double>(sum) - static_cast<double>(n) * s.x_zero) / n;
      return std::clamp(nearest_code(real / s.y_scale) + s.y_zero, s.low, s.high);
    },
};

constexpr SoftmaxPolicy softmax = {
    "plain",
    [](std::span<const std::int32_t> x, std::span<std::int32_t> y, const SoftmaxScales& s) {
      const std::int32_t top = *std::ranges::max_element(x);
      double sum = 0;
      for (const std::int32_t code : x) sum += std::exp(s.beta * s.x_scale * (code - top));
      for (std::size_t i = 0; i < x.size(); ++i)
        y[i] = std::clamp(
            nearest_code(std::exp(s.beta * s.x_scale * (x[i] - top)) / sum / s.y_scale) + s.y_zero,
            s.low, s.high);
    }};

// y = f(x) for each of the 256 codes, from the least on.
template <double (*function)(double x, double alpha)>
constexpr TablePolicy table = {
    "plain", [](const TableScales& s, std::span<std::int32_t> codes) {
      for (std::size_t i = 0; i < codes.size(); ++i) {
        const double x = s.x_scale * (s.x_low + static_cast<std::int32_t>(i) - s.x_zero);
        codes[i] =
            std::clamp(nearest_code(function(x, s.alpha) / s.y_scale) + s.y_zero, s.low, s.high);
      }
    }};
double leaky(double x, double alpha) {
  return x >= 0 ? x : alpha * x;
}
double sigmoid(double x, double) {
  return 1 / (1 + std::exp(-x));
}

constexpr Numerics make_numerics() {
  Numerics n;
  n.conv = n.dense = &requant;
  n.add = &add;
  n.sub = &sub;
  n.mul = &mul;
  n.quantize = &quantize;
  n.average = n.global_average = &average;
  n.softmax = &softmax;
  n.leaky_relu = &table<leaky>;
  n.sigmoid = &table<sigmoid>;
  return n;
}
constexpr Numerics numerics = make_numerics();
const Arithmetic arithmetic = {.name = "plain", .numerics = &numerics};

}  // namespace

const Arithmetic& plain_arithmetic() {
  return arithmetic;
}

}  // namespace lockstep::test
