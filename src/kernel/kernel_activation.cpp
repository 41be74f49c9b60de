#include "kernel/kernel_activation.h"

#include <algorithm>

#pragma GCC push_options
#pragma GCC optimize("O3", "no-trapping-math")

namespace lockstep {

void activate_all(Activation act, float* y, std::int64_t count) {
  switch (act) {
    case Activation::none:
      return;
    case Activation::relu:
      for (std::int64_t i = 0; i < count; ++i) y[i] = y[i] < 0.0f ? 0.0f : y[i];
      return;
    case Activation::relu6:
      for (std::int64_t i = 0; i < count; ++i) {
        const float low = y[i] < 0.0f ? 0.0f : y[i];
        y[i] = 6.0f < low ? 6.0f : low;
      }
      return;
    default:
      for (std::int64_t i = 0; i < count; ++i) y[i] = activate(act, y[i]);
  }
}

}  // namespace lockstep

#pragma GCC pop_options
