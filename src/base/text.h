#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string lower(std::string_view text);
// "1,49,10,1" in brackets: "[1,49,10,1]".
std::string shape_text(std::span<const std::int64_t> shape);
// The candidate nearest to `wanted` by edit distance, or "" when none is near: for "did you mean".
std::string nearest(std::string_view wanted, std::span<const std::string> candidates);

}  // namespace lockstep
