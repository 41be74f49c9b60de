#pragma once

#include "run/capture.h"

namespace lockstep {

// The sample that this thread feeds to a network at the moment, as sent: what an input hook may
// look at beside its own input. Null outside of input hooks.
const Sample*& fed_sample();

}  // namespace lockstep
