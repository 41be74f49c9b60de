#pragma once

#include <string_view>

namespace lockstep {

// The most 8-bit multiply-accumulates a second that one core of this machine makes, measured on
// registers alone for about `seconds`; and the instruction that it was measured with.
struct PeakRate {
  double macs_per_second = 0;
  std::string_view instruction = {};
};
PeakRate measure_peak(double seconds);

}  // namespace lockstep
