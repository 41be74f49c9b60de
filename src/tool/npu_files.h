#pragma once

#include <CLI/CLI.hpp>

namespace lockstep {

// `npu export` and `npu lower`: programs written as files.
void add_npu_files(CLI::App& npu, int& code);

}  // namespace lockstep
