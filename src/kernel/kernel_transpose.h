#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

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

// Small matrices one behind the other, [rows][columns] each, by byte shuffles that are planned
// once.
class SmallTranspositions {
 public:
  static constexpr std::int64_t most_bytes = 128;  // of one

  // Plans nothing where a matrix is larger or the processor has no such shuffles.
  SmallTranspositions() = default;
  SmallTranspositions(std::int64_t rows, std::int64_t columns, std::size_t width);
  bool planned() const { return !steps_.empty(); }
  // `count` matrices; reads and writes nothing behind them.
  void run(const std::byte* from, std::byte* to, std::int64_t count) const;

 private:
  static constexpr std::int64_t chunk = 16;
  // What chunk `from` of the matrix brings to chunk `to`.
  struct Step {
    alignas(16) std::uint8_t places[chunk];
    std::int64_t from, to;
  };
  void shuffle(const std::byte* from, std::byte* to) const;

  std::int64_t bytes_ = 0;
  std::vector<std::int64_t> place_;  // of each byte of the result
  std::vector<Step> steps_;          // by `to`
};

}  // namespace lockstep
