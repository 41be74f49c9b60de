#pragma once

#include <cstdint>
#include <span>

#include "diff/pair.h"

namespace lockstep {

// How many more recorded elements lie nearer to `first` than to `second`, two sets of expected
// samples under the same names: negative where `second` is nearer, 0 where nothing tells them
// apart. Codes recorded in bytes of the other sign are read as `recode` reads them.
std::int64_t nearer(std::span<const Sample> first, std::span<const Sample> second,
                    const Pairing& device);

}  // namespace lockstep
