#pragma once

#include <vector>

#include "fault/fault.h"

namespace lockstep {

// Where a fault at a site acts, itself included: an input fault that reads another input gives it
// its own in return.
struct FaultPlace {
  Site site;
  Params params;
};
std::vector<FaultPlace> places_of(const Site& site, const FaultDef& fault, const Params& params);

}  // namespace lockstep
