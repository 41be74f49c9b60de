// Gates of recurrent layers in onnxruntime's steps (N103).
#include <cmath>

#include "num/ort_functions.h"
#include "num/ort_lanes.h"

namespace lockstep {
float ort_gru_reset(float x) {
  return ort_lanes::gru_reset(x);
}
float ort_gru_output(float x) {
  return ort_lanes::gru_output(x);
}
float ort_rnn_output(float x) {
  const float v = 2.0f * x, e = std::exp(v >= 0 ? -v : v);
  return 2.0f * (v >= 0 ? 1.0f / (1.0f + e) : e / (1.0f + e)) - 1.0f;
}

}  // namespace lockstep
