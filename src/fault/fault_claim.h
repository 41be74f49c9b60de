#pragma once

#include <string>

#include "fault/fault.h"

namespace lockstep {

// The fault's claim as a sentence. In a claim stand
//   {k}                    the parameter's value; of `other`, the tensor's name
//   {@}                    the place: a node or a network input
//   {-k}                   its opposite
//   {k#byte}               its magnitude and the noun: "1 byte", "3 bytes"
//   {k?0:text|<0:text|:text}  the text of the first case that holds: a value, below a value, or
//   any; none: nothing
// and a text may hold all of these again.
std::string claim_text(const Site& site, const FaultDef& fault, const Params& params);

// The claim for a page: the cases of a parameter side by side, "(saturates | wraps)", in brackets
// where it may say nothing.
std::string claim_outline(const FaultDef& fault);

// A number as a user would write it: 0.5, 2, 0.333333.
std::string number_text(double x);

}  // namespace lockstep
