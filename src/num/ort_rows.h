#pragma once

#include <cstdint>

namespace lockstep {

// onnxruntime's functions of reals over a row, in the widest vectors that the processor has; bit
// for bit what they are one by one. x and y may be one.
enum class OrtRow : std::uint8_t {
  sigmoid,
  tanh,
  exp,
  erf,
  gelu,
  gelu_tanh,
  gru_reset,
  gru_output
};
void ort_row(OrtRow which, const float* x, float* y, std::int64_t n);
// y = f(x) of any function; by vectors where it is one of onnxruntime's.
void map_row(float (*f)(float), const float* x, float* y, std::int64_t n);

// N20 to codes of 16 bits, of either sign.
struct WideCodes {
  float scale;
  std::int32_t zero, low, high;
};
void ort_quantize_row(const float* x, const WideCodes& to, std::uint16_t* y, std::int64_t n);

}  // namespace lockstep
