#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace lockstep {

// One line of a log: what a firmware, a debugger or NumPy printed.

// What a line is: bytes, numbers, or words; with its own name where it has one.
struct PrintedLine {
  std::string name;
  std::optional<Bytes> bytes;
  bool surely_bytes = false;  // bytes by an address, "0x", a letter among the digits, or "05"
  std::optional<std::vector<double>> numbers;
  bool may_be_shape = false;  // numbers behind words: the tensor, or its shape
};

PrintedLine read_line(std::string_view line);
// A line without the "[00:01:02.345] " of a terminal program.
std::string_view without_time(std::string_view line);
// "[1 2 3 ... 7 8]", or "..." between rows of numbers.
bool cuts_off(std::string_view line, bool after_data);

}  // namespace lockstep
