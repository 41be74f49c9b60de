#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep {

// A function of one byte, or of one byte and its channel: y[i] = table[channel(i) * 256 + x[i]].
struct CodeTable {
  std::vector<std::byte> entries;  // channels * 256 of `width` bytes, by the byte's value
  std::int64_t channels = 1;
  std::size_t width = 1;  // of y: 1, 2 or 4
};

// count elements; channel(i) = i / run % channels (run 1: channels last).
void apply_table(const CodeTable& table, const std::byte* x, std::byte* y, std::int64_t first,
                 std::int64_t count, std::int64_t run);

}  // namespace lockstep
