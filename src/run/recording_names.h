#pragma once

#include <string>

namespace lockstep {

// "%2F" -> "/": how a tool may keep a tensor's name in the name of a file or of an array.
std::string unescape(const std::string& name);

}  // namespace lockstep
