#pragma once

#include <string>

#include "base/error.h"

namespace lockstep {

// Whether a file can be written at `path`, asked before the work whose result it is to hold. Nothing is created.
Result<void> check_place(const std::string& path);

}  // namespace lockstep
