#pragma once

#include <cstddef>
#include <cstdint>

namespace lockstep {

// [rows][columns] of elements of `width` bytes (1, 2, 4, 8) to [columns][rows].
void transpose(const std::byte* from, std::byte* to, std::int64_t rows, std::int64_t columns,
               std::size_t width);

}  // namespace lockstep
