#include "fault/fault_rounding.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

double half_away(double v) {
  return v < 0 ? -std::floor(-v + 0.5) : std::floor(v + 0.5);
}

template <Rounding rounding>
double rounded(double v) {
  switch (rounding) {
    case Rounding::down:
      return std::floor(v);
    case Rounding::up:
      return std::ceil(v);
    case Rounding::toward_zero:
      return std::trunc(v);
    case Rounding::half_up:
      return std::floor(v + 0.5);
    case Rounding::half_away:
      return half_away(v);
    default:
      return std::nearbyint(v);
  }
}

// factor = m 2^e with m in [1/2, 1): the product is rounded to an integer of m, then divided by
// 2^-e.
double rounded_twice(double acc, double factor) {
  int exponent = 0;
  const double m = std::nearbyint(std::frexp(factor, &exponent) * 0x1p31);
  const double high = exponent > 0 ? std::ldexp(acc, exponent) : acc;
  const double first = std::floor(high * m * 0x1p-31 + 0.5);
  return exponent < 0 ? half_away(std::ldexp(first, exponent)) : first;
}

template <Rounding rounding>
std::int32_t scaled(double acc, double factor) {
  const double v =
      rounding == Rounding::twice ? rounded_twice(acc, factor) : rounded<rounding>(acc * factor);
  return static_cast<std::int32_t>(std::clamp(v, -2147483648.0, 2147483647.0));
}

template <Rounding rounding>
constexpr RequantPolicy requant = {
    "fault",
    [](double x, double w, double y) {
      return Rescale{0, 0, 0, x * w / y};
    },
    [](std::int32_t acc, const Rescale& r) { return scaled<rounding>(acc, r.real); },
    [](std::int64_t acc, const Rescale& r) {
      return scaled<rounding>(static_cast<double>(acc), r.real);
    },
};

BinaryState keep(const BinaryScales& s) {
  return {s, {}, {}, {}, 0};
}

template <Rounding rounding>
std::int32_t to_code(double real, const BinaryScales& s) {
  return std::clamp(scaled<rounding>(real, 1 / s.y_scale) + s.y_zero, s.low, s.high);
}

template <Rounding rounding, int kind>
constexpr BinaryPolicy binary = {
    "fault", keep, [](std::int32_t a, std::int32_t b, const BinaryState& state) {
      const BinaryScales& s = state.s;
      const double x = s.a_scale * (a - s.a_zero), y = s.b_scale * (b - s.b_zero);
      return to_code<rounding>(kind == 0 ? x + y : kind == 1 ? x - y : x * y, s);
    }};

template <Rounding rounding>
constexpr AveragePolicy average = {
    "fault", [](std::int32_t sum, std::int32_t n, const AverageScales& s) {
      const double real = s.x_scale * (sum - static_cast<double>(n) * s.x_zero) / n;
      return std::clamp(scaled<rounding>(real, 1 / s.y_scale) + s.y_zero, s.low, s.high);
    }};

template <Rounding rounding>
constexpr QuantizePolicy quantize = {
    "fault",
    [](float real, float scale, std::int32_t zero, std::int32_t low, std::int32_t high) {
      return std::clamp(
          scaled<rounding>(static_cast<double>(real) / static_cast<double>(scale), 1) + zero, low,
          high);
    },
    [](std::int32_t code, float scale, std::int32_t zero) {
      return static_cast<float>(code - zero) * scale;
    },
    [](std::int32_t code, double xs, std::int32_t xz, double ys, std::int32_t yz, std::int32_t low,
       std::int32_t high) {
      return std::clamp(scaled<rounding>(code - xz, xs / ys) + yz, low, high);
    },
};

template <Rounding rounding>
void replace(Numerics& n) {
  for (auto* const member : {&n.conv, &n.conv_unsigned, &n.dense, &n.matmul})
    if (*member) *member = &requant<rounding>;
  if (n.add) n.add = &binary<rounding, 0>;
  if (n.sub) n.sub = &binary<rounding, 1>;
  if (n.mul) n.mul = &binary<rounding, 2>;
  if (n.average) n.average = &average<rounding>;
  if (n.global_average) n.global_average = &average<rounding>;
  if (n.quantize) n.quantize = &quantize<rounding>;
}

constexpr std::array<std::string_view, 9> kRounded = {
    "Conv",          "Gemm", "MatMul", "Add", "Sub", "Mul", "AveragePool", "GlobalAveragePool",
    "QuantizeLinear"};

}  // namespace

void round_by(ChangedNode& node, Rounding rounding) {
  Numerics& n = node.numerics();
  switch (rounding) {
    case Rounding::down:
      return replace<Rounding::down>(n);
    case Rounding::up:
      return replace<Rounding::up>(n);
    case Rounding::toward_zero:
      return replace<Rounding::toward_zero>(n);
    case Rounding::half_up:
      return replace<Rounding::half_up>(n);
    case Rounding::half_away:
      return replace<Rounding::half_away>(n);
    case Rounding::half_even:
      return replace<Rounding::half_even>(n);
    case Rounding::twice:
      return replace<Rounding::twice>(n);
  }
}

bool is_rounded(const Site& site) {
  if (site.node == no_id) return false;
  const NodeView n = site.view();
  if (std::ranges::find(kRounded, n.node.op) == kRounded.end() || !is_coded(n.output(0)))
    return false;
  return n.node.op == "QuantizeLinear" || is_coded(n.input(0));
}

}  // namespace lockstep
