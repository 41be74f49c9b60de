#pragma once

#include <cstdint>
#include <string_view>

namespace lockstep {

// The activations that runtimes fuse into other operators.
enum class Activation : std::uint8_t { none, relu, relu6, relu_n1_to_1, tanh };

// "none", "relu", "relu6", "relu_n1_to_1", "tanh"; anything else reads as none.
Activation activation_named(std::string_view name);

// N58: the codes that a fused activation leaves: zero + round(bound / scale) in float32, ties away
// from zero, inside the type's own [low, high].
struct CodeClamp {
  std::int32_t low, high;
};
CodeClamp activation_clamp(Activation a, double scale, std::int32_t zero, std::int32_t low,
                           std::int32_t high);

// The activation on a real.
float activate(Activation a, float x);

}  // namespace lockstep
