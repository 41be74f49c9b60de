#pragma once

#include "run/recording.h"

namespace lockstep {

// Arrays whose names say which sample they are of ("sample_0/NAME", "NAME_sample3", "NAME_0" and
// "NAME_1" where the model has a NAME): the sample taken out of the name. Left as it is unless
// every name that the model does not know reads so and every tensor has the same samples.
Recording with_samples_named(const Recording& recording, const Graph& model);

}  // namespace lockstep
