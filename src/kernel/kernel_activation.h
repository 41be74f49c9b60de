#pragma once

#include <cstdint>

#include "num/activation.h"

namespace lockstep {

// y[i] = activate(act, y[i]), many at once.
void activate_all(Activation act, float* y, std::int64_t count);

}  // namespace lockstep
