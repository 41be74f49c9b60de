#pragma once

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"
#include "op/op_window.h"

namespace lockstep {

// How an ISA brings codes into the form that its products read: `count` codes to bytes xor
// `flip_or_zero`, or to words minus it.
using StageCodes = void (*)(const std::byte* x, std::byte* to, std::int64_t count,
                            std::int32_t flip_or_zero, bool is_signed);

// The input of a window as kernels read it, channels last: with its padding written out, signed
// bytes as unsigned ones (code + 128), or words without zero point; float32 as it is, padded with
// zeros. Where nothing of that is asked for, the input itself (`needed` false).
struct Stage {
  Window window;
  StageCodes copy = nullptr;
  bool words = false, is_signed = false, needed = false, padded = false;
  std::int32_t take = 0;  // flip or zero point
  int fill = 0;           // byte of the padding
  std::int64_t x_size = 1, size = 1, extent[3] = {1, 1, 1};
  std::int64_t pixel = 0, row = 0, plane = 0, bytes = 0;  // strides; all of it

  static Stage of(const Window& window, DType x, std::int32_t x_zero, bool words, StageCodes copy);
  static Stage of_words(const Window& window);  // 16-bit codes without zero point, as they are
  static Stage of_reals(const Window& window);
  std::int64_t parts() const;        // independent pieces of the work
  std::int64_t least_parts() const;  // that are worth another thread
  void run(const std::byte* x, std::byte* to, std::int64_t first, std::int64_t last) const;
  // Lines first to last alone, or pixels, to where `run` leaves them. Only where by_lines(): an
  // input of no more than two axes.
  bool by_lines() const { return extent[0] == 1; }
  void run_lines(const std::byte* x, std::byte* to, std::int64_t first, std::int64_t last) const;
  void run_pixels(const std::byte* x, std::byte* to, std::int64_t first, std::int64_t last) const;
  // Lines that neighbouring lines of windows share: what two threads stage both.
  std::int64_t common_lines() const;
  // Room that one of several threads has to itself beside what it stages.
  std::int64_t own_room() const { return (common_lines() * row + 256 + 63) / 64 * 64; }
  std::size_t scratch_bytes() const { return needed ? static_cast<std::size_t>(bytes) + 512 : 0; }
};

}  // namespace lockstep
