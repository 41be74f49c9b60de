#pragma once

#include <string>

namespace lockstep {

bool colour_wanted();  // standard output is a terminal and NO_COLOR is not set

// One line on a terminal's standard error that overwrites itself; silent in a pipe.
void show_progress(const std::string& what);
void end_progress();

}  // namespace lockstep
