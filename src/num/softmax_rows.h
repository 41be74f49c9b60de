#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "num/numerics.h"

namespace lockstep {

// N89 of rows of 8-bit codes that lie one behind the other, several rows in turns: code for code
// what litert_softmax makes of each.
class LitertSoftmaxRows {
 public:
  // Where shares of the output's step stay far inside int32.
  static bool fits(const SoftmaxScales& scales) { return scales.y_scale > 0x1p-20; }

  LitertSoftmaxRows(const SoftmaxScales& scales, bool x_signed, std::int64_t count);

  std::size_t room() const { return static_cast<std::size_t>(rows_at_once * step_); }  // floats
  void run(const std::byte* x, std::byte* y, std::int64_t rows, float* room) const;

 private:
  static constexpr std::int64_t rows_at_once = 4;
  struct Row {
    const std::byte* x;
    std::byte* y;
    float* terms;
    float inverse;
  };
  using Finish = void (*)(const LitertSoftmaxRows&, const Row&);
  using Greatest = std::int32_t (*)(const std::byte*, std::int64_t, bool);
  template <bool is_signed, int rows>
  void sum_terms(Row* row) const;
  template <int rows>
  void some(const std::byte* x, std::byte* y, float* room) const;
  void finish(const Row& r) const;
  static void finish_portable(const LitertSoftmaxRows& s, const Row& r);
  static void finish_avx2(const LitertSoftmaxRows& s, const Row& r);
  static void finish_avx512(const LitertSoftmaxRows& s, const Row& r);

  SoftmaxScales scales_;
  bool x_signed_;
  std::int64_t count_, step_;
  std::vector<float> terms_;  // the greatest distance first, times 2^64
  Finish finish_;
  Greatest greatest_;
};

}  // namespace lockstep
