#pragma once

#include <string>

namespace lockstep::test {

// The checkout, and the folder that it is built in: absolute, without a slash at the end.
std::string source_folder();
std::string binary_folder();

}  // namespace lockstep::test
