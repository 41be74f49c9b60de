#pragma once

#include <span>
#include <string>

#include "npu/program.h"

namespace lockstep {

// Bytes of an Intel HEX text by address, an image for each run. Errors: a bad record, a wrong
// checksum.
Result<std::vector<NpuImage>> parse_intel_hex(std::string_view text, const std::string& file);

// The images as one Intel HEX text: data records of 16 bytes.
std::string format_intel_hex(std::span<const NpuImage> images);

// Finds the weights of a program beside it: .raw, .bin or .hex files, those of its own name before
// others. A .hex carries its address; the others begin at the memory whose postfix their name
// carries, or at the only one that holds constants. Errors: none, or several that could be it.
Result<void> find_npu_images(NpuProgram& program, const std::string& folder);

}  // namespace lockstep
