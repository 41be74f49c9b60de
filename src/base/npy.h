#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"
#include "base/files.h"

namespace lockstep {

// One NumPy array in C order: what a .npy file or a member of an .npz file holds.
struct NpyArray {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  Bytes bytes;
};

// Reads .npy bytes (format versions 1 to 3, little and big endian, C and Fortran order).
// `where` names the file in errors. Sizes are checked against the bytes at hand before allocation.
Result<NpyArray> parse_npy(std::span<const std::byte> bytes, const std::string& where);
Bytes format_npy(const NpyArray& array);

using NpzMembers = std::vector<std::pair<std::string, NpyArray>>;

// Reads every member of an .npz archive; member names lose their ".npy".
Result<NpzMembers> read_npz(const std::string& path);
// Writes a deflated .npz under a temporary name, then renames it.
Result<void> write_npz(const std::string& path, const NpzMembers& members);

}  // namespace lockstep
