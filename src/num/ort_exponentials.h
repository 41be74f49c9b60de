#pragma once

#include <span>

namespace lockstep {

// The greatest of x as onnxruntime seeks it (x[0] where that is no number); x is not empty.
float ort_greatest(std::span<const float> x);
// N38 many at once: y = exp(x - top), bit for bit ort_exp of numbers that are not above `top`;
// their sum in 16 interleaved lanes.
float ort_exponentials(std::span<const float> x, float top, std::span<float> y);
// y times factor.
void ort_scale(std::span<float> y, float factor);

}  // namespace lockstep
