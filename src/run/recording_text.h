#pragma once

#include <string>
#include <string_view>

#include "run/recording.h"

namespace lockstep {

// Whether a file's ending says text that a person or a firmware printed: ".h", ".c", ".inc",
// ".txt", ".log".
bool is_text_ending(std::string_view ending);

// Tensors printed as text: arrays of C source ("const int8_t NAME[4] = {...};", also GDB's "$1 =
// {1, 2 <repeats 9 times>}"), else lines. A line of bytes in hexadecimal (with or without an
// address before and characters behind) or of numbers goes on with the tensor above; "NAME: 1 2 3"
// and "NAME = [1, 2]" name their own; any other line names what follows it. A name that comes again
// is the next sample's. Errors: what GDB or NumPy cut off with "...", a list that does not end.
Result<Recording> recording_from_text(std::string_view text, const std::string& name,
                                      const std::string& where);

// The same of C source alone.
Result<Recording> recording_from_c(std::string_view text, const std::string& name,
                                   const std::string& where);
// Whether a text holds a list in braces behind "=".
bool has_c_lists(std::string_view text);

// {"NAME": [...], ...}, a list of such objects (one a sample), {"name": "NAME", "data": [...]} or a
// list of those (a name that comes again is the next sample's), or one list of numbers: JSON
// without a description.
Result<Recording> recording_from_json_numbers(std::string_view text, const std::string& name,
                                              const std::string& where);
// Whether a JSON text describes raw files ("tensors": [...]) and is not the numbers themselves.
bool describes_raw(std::string_view json);

// Numbers as a flat array: float32, wider where float32 would round a whole number.
RecordedArray recorded_numbers(std::string name, const std::vector<double>& numbers);
// A name that comes again is the next sample's: gives such arrays their samples.
void number_repeated(Recording& recording);

}  // namespace lockstep
