#pragma once

#include <functional>

#include "diagnose/trial.h"

namespace lockstep {

// How much a search may compute, and who is told how far it is. Work is counted in what the
// replays compute (Trial::work), not in time: what is found depends neither on the machine nor on
// what else it does.
struct SearchOptions {
  double work = 12e9;
  int threads = 0;  // 0: those of the machine, at most 8
  std::function<void(const std::string& what)> progress = {};
  bool fits = true;   // parameters are sought by replaying where plain ones do not do
  bool pairs = true;  // two faults together, where one leaves a remainder
  // Where the differences may be rounding alone: bits that state one differing value as such. A
  // cause must then be exact, and shorter than that. 0: they are wrong for certain.
  double drift_bits = 0;
  bool first_only =
      false;  // explain the first wrong operation, nothing else: no repair, no prediction
};

// Every fault of the table at every place where it could have acted, with the parameters that fit
// the evidence, replayed and ranked by length: the bits that state the cause and those that state
// the values that its replay leaves wrong, fewest first. What does the very same as the first
// becomes its tie. `known` are explanations of other suspects, tried first.
Suspect search(const Trial& trial, std::size_t row, std::span<const Explanation> known,
               const SearchOptions& options);

// Bits that state `wrong` of `values` elements one by one: which they are, and what each holds.
double listing_bits(std::int64_t wrong, std::int64_t values);

// An explanation carries a claim when stating it is shorter than listing the differing values, and
// its replay leaves none of them - or, on a device that also rounds in another way, at most a tenth
// of all values, none more than one LSB away, at half the length of the list. `places`: among how
// many places it was sought. `table_bits`: what a table from right values to the device's would
// cost, where one holds.
bool carries(const Explanation& e, std::size_t places, double table_bits, double drift_bits = 0);

}  // namespace lockstep
