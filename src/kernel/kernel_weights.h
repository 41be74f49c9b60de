#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ir/tensor.h"

namespace lockstep {

// Codes of constant weights, a row of `depth` for each output channel: [tap][ic]. Borrowed from the
// constant where they lie so.
struct DotWeights {
  const std::byte* codes = nullptr;  // null: there are none
  std::unique_ptr<std::byte[]> own;
  bool is_signed = false;
  std::int64_t depth = 0;
  std::vector<std::int32_t> zero;  // by output channel

  // How the constant has them: rows of [tap][ic]; rows of [ic][tap]; [depth][channel].
  enum class Lie : std::uint8_t { rows, taps_inside, columns };
  void take(const Tensor& w, Lie lie, std::int64_t channels, std::int64_t taps);

  bool empty() const { return codes == nullptr; }
  // Without its zero point.
  std::int16_t at(std::int64_t channel, std::int64_t i) const {
    const std::byte b = codes[channel * depth + i];
    const std::int32_t code = is_signed ? std::int32_t{static_cast<std::int8_t>(b)}
                                        : std::int32_t{static_cast<std::uint8_t>(b)};
    return static_cast<std::int16_t>(code - zero[static_cast<std::size_t>(channel)]);
  }
  struct Row {
    std::int64_t sum = 0;
    std::int32_t low = 0, high = 0;
  };
  Row row(std::int64_t channel) const;  // without zero point

  // One channel's runs in pieces of `piece` codes, `step` bytes apart: bytes (code - zero - taken,
  // the low 8 bits) or words (code - zero). What fills the last piece of a run is left as it is.
  struct Pieces {
    std::int64_t runs = 1, run_length = 0, piece = 4, step = 0;
    bool words = false;
    std::int32_t taken = 0;
  };
  void pack(std::int64_t channel, const Pieces& p, std::byte* to) const;
};

}  // namespace lockstep
