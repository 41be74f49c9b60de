// Gates of recurrent layers in onnxruntime's steps (N103).
#include <algorithm>
#include <cmath>

#include "num/ort_functions.h"

namespace lockstep {
namespace {

// N37's quotient for tanh with every step rounded.
float quotient(float x) {
  const float square = x * x;
  float p = square * -2.76076847742355e-16f + 2.00018790482477e-13f;
  p = square * p + -8.60467152213735e-11f;
  p = square * p + 5.12229709037114e-08f;
  p = square * p + 1.48572235717979e-05f;
  p = square * p + 6.37261928875436e-04f;
  p = square * p + 4.89352455891786e-03f;
  float q = square * 1.19825839466702e-06f + 1.18534705686654e-04f;
  q = square * q + 2.26843463243900e-03f;
  q = square * q + 4.89352518554385e-03f;
  return x * p / q;
}

}  // namespace

float ort_gru_reset(float x) {
  return 0.5f * (1.0f + quotient(0.5f * std::clamp(x, -20.0f, 20.0f)));
}
float ort_gru_output(float x) {
  return quotient(std::clamp(x, -10.0f, 10.0f));
}
float ort_rnn_output(float x) {
  const float v = 2.0f * x, e = std::exp(v >= 0 ? -v : v);
  return 2.0f * (v >= 0 ? 1.0f / (1.0f + e) : e / (1.0f + e)) - 1.0f;
}

}  // namespace lockstep
