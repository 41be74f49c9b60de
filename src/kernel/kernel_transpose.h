#pragma once

#include <cstddef>
#include <cstdint>

namespace lockstep {

// Elements of `width` bytes (1, 2, 4, 8): to[c * to_step + r] = from[r * from_step + c].
struct Transposition {
  std::int64_t rows = 0, columns = 0, from_step = 0, to_step = 0;
  std::size_t width = 1;
};
void transpose(const std::byte* from, std::byte* to, const Transposition& t);

// The same of a dense [rows][columns].
void transpose(const std::byte* from, std::byte* to, std::int64_t rows, std::int64_t columns,
               std::size_t width);

}  // namespace lockstep
