#pragma once

#include <string>

#include "base/error.h"

namespace lockstep {

// Whether a file can be written at `path`, asked before the work whose result it is to hold.
// Nothing is created.
Result<void> check_place(const std::string& path);

// The same of an .npz archive, which the name must say: what is written bears no other ending.
Result<void> check_archive_place(const std::string& path);

}  // namespace lockstep
