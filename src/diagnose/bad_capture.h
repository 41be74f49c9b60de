#pragma once

#include <optional>
#include <string>

#include "diagnose/judge.h"

namespace lockstep {

// What is wrong with a recording rather than with a device: samples in another order, two tensors under
// each other's names. Such captures are refused with one sentence, not explained. Nothing when neither is seen.
std::optional<std::string> bad_capture(const Case& c, const Comparison& comparison);

// What a reader should know of the recording beside the verdict: values that are not finite, tensors that
// only some samples hold.
std::vector<std::string> capture_notes(const Case& c, const Comparison& comparison);

// Most operations with weights are wrong, each from its own inputs, and nothing explains them, while the
// others are right: the captures come from other weights. "" when it is not so.
std::string other_version(const Case& c, const Verdict& verdict);

}  // namespace lockstep
