#pragma once

#include "fault/fault.h"

namespace lockstep {

// Bits needed to state the fault with these parameters at this place, among all faults of the
// table. Between causes that reproduce the same, the shorter is preferred. A parameter at its
// fallback costs half a bit, a whole number about twice its own length, a decimal as much as its
// digits, each stretch of bytes the two places inside the tensor. A fault that could act almost
// anywhere costs up to a bit more than one that could act here only.
double description_bits(const Site& site, const FaultDef& fault, const Params& params);

// Parameters that list places run by run: they describe one recording, not the device.
bool lists_places(const Params& params);

}  // namespace lockstep
