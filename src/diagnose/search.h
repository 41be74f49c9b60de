#pragma once

#include <chrono>
#include <functional>

#include "diagnose/trial.h"

namespace lockstep {

// How long a search may take, and who is told how far it is.
struct SearchOptions {
  std::chrono::milliseconds budget{20000};
  std::function<void(const std::string& what)> progress;
};

// Every fault of the table at every place where it could have acted, with the parameters that fit the
// evidence, replayed and ranked: reproduced minus spoiled values, best first; equal ones become ties of
// the first. `known` are explanations of other suspects, tried first.
Suspect search(const Trial& trial, std::size_t row, std::span<const Explanation> known, const SearchOptions& options);

// An explanation carries a claim when its replay leaves nothing (or, on a device that rounds in another
// way, next to nothing) of the difference: nine of ten differing values reproduced net of the spoiled
// ones, or at least half and no value more than one LSB away.
bool carries(const Explanation& e);

}  // namespace lockstep
