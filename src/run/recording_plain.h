#pragma once

#include <string>
#include <string_view>

#include "base/files.h"

namespace lockstep {

// The text of a file as its readers expect it: a byte order mark taken off, UTF-16 behind such a
// mark (what PowerShell's ">" writes) as single bytes, "?" for characters that are none of ASCII.
std::string plain_text(const Bytes& bytes);

// One element a line, or several: "out[0] = -3", "class 0: -3", "out[0]=-3 out[1]=7". Elements that
// follow one another from 0 on, two at least, become one line "out: -3 7" in the place of the
// first; all other lines stay as they are.
std::string joined_elements(std::string_view text);

}  // namespace lockstep
