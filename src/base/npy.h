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
  Bytes bytes;  // little-endian
};

// Reads .npy bytes (format versions 1 to 3, little and big endian, C and Fortran order).
// `where` names the file in errors. Sizes are checked against the bytes at hand before allocation.
Result<NpyArray> parse_npy(std::span<const std::byte> bytes, const std::string& where);
Bytes format_npy(const NpyArray& array);

using NpzMembers = std::vector<std::pair<std::string, NpyArray>>;
using NpzTexts = std::vector<std::pair<std::string, std::string>>;

// An .npz archive: its arrays (names without ".npy"), and its other members as text (names as they
// are), which NumPy leaves alone.
struct NpzFile {
  NpzMembers members;
  NpzTexts texts;
};

// Errors: not a zip archive, a damaged member, a member that is not .npy and longer than 16 MB.
Result<NpzFile> read_npz_file(const std::string& path);
Result<NpzFile> parse_npz(std::span<const std::byte> bytes, const std::string& where);
// The arrays alone.
Result<NpzMembers> read_npz(const std::string& path);
// Writes a deflated .npz under a temporary name, then renames it. Same members, same bytes.
Result<void> write_npz(const std::string& path, const NpzMembers& members,
                       const NpzTexts& texts = {});

}  // namespace lockstep
