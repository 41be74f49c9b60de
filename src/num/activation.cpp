#include "num/activation.h"

#include <algorithm>
#include <cmath>

#include "num/tflite_fixed.h"

namespace lockstep {

Activation activation_named(std::string_view name) {
  if (name == "relu") return Activation::relu;
  if (name == "relu6") return Activation::relu6;
  if (name == "relu_n1_to_1") return Activation::relu_n1_to_1;
  if (name == "tanh") return Activation::tanh;
  return Activation::none;
}

CodeClamp activation_clamp(Activation a, double scale, std::int32_t zero, std::int32_t low,
                           std::int32_t high) {
  const auto code = [&](float bound) {
    return saturate32(std::int64_t{zero} + nearest_away(bound / static_cast<float>(scale)));
  };
  CodeClamp c{low, high};
  if (a == Activation::relu || a == Activation::relu6) c.low = std::max(low, code(0.f));
  if (a == Activation::relu6) c.high = std::min(high, code(6.f));
  if (a == Activation::relu_n1_to_1) c = {std::max(low, code(-1.f)), std::min(high, code(1.f))};
  return c;
}

float activate(Activation a, float x) {
  switch (a) {
    case Activation::none:
      return x;
    case Activation::relu:
      return std::max(x, 0.f);
    case Activation::relu6:
      return std::min(std::max(x, 0.f), 6.f);
    case Activation::relu_n1_to_1:
      return std::min(std::max(x, -1.f), 1.f);
    case Activation::tanh:
      return std::tanh(x);
  }
  return x;
}

}  // namespace lockstep
