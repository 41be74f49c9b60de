#pragma once

#include <cstddef>
#include <cstdint>

namespace lockstep {

// N87 in two steps that no rounding parts: two rows of 8-bit codes mixed by the share of the second
// in 1/2048, then two columns of what came of it.
struct BilinearSteps {
  static constexpr std::int64_t block = 16;  // columns are written in whole blocks
  void (*rows)(const std::byte* first, const std::byte* second, std::int32_t share,
               std::int64_t count, std::int32_t* to);
  void (*columns)(const std::int32_t* first, const std::int32_t* second, std::int32_t share,
                  std::int64_t count, std::byte* to);
};
// As xnnpack_bilinear mixes; the fastest for this processor.
BilinearSteps xnnpack_bilinear_steps(bool is_signed);

}  // namespace lockstep
