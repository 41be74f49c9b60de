#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lockstep {

// The pages under docs/ that list what the registries hold: file name and text.
std::vector<std::pair<std::string, std::string>> generated_pages();

}  // namespace lockstep
