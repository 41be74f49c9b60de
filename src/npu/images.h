#pragma once

#include <string>

#include "npu/program.h"

namespace lockstep {

// Bytes of an Intel HEX text by address. Errors: a bad record, a wrong checksum, gaps over 16 MB.
Result<NpuImage> parse_intel_hex(std::string_view text, const std::string& file);

// Finds the weights of a program beside it: .raw, .bin or .hex files. A .hex carries its address; the
// others begin at the base that the parameter buffers share. Errors: none, or several that could be it.
Result<void> find_npu_images(NpuProgram& program, const std::string& folder);

}  // namespace lockstep
