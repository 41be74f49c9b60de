#pragma once

#include <span>

#include "run/build.h"
#include "run/capture.h"

namespace lockstep {

// Captures of several builds of one network (variants with other exposed tensors) as one. A tensor
// that several hold is taken from the first. Where another build disagrees with the first in one of
// those, a note says in how many values: then the builds do not compute alike, what one shows is no
// evidence about the other, and its own tensors are left out. `builds` says which build each is of,
// where that is known: captures of one build that disagree show that it is not the same from run to
// run, and keep their tensors. Error: other numbers of samples.
Result<Capture> merge_captures(std::span<const Capture> captures,
                               std::span<const Build> builds = {});

}  // namespace lockstep
