#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "num/numerics.h"

namespace lockstep {

// N89 and N28 of rows of 8-bit codes that lie one behind the other, several rows in turns: code for
// code what litert_softmax, litert_log_softmax and ort_softmax_codes make of each.
class SoftmaxOfCodes {
 public:
  // Nothing for other policies, and where shares of the output's step leave what int32 holds or
  // products what float32 holds.
  static std::optional<SoftmaxOfCodes> make(const SoftmaxPolicy& policy,
                                            const SoftmaxScales& scales, bool x_signed,
                                            std::int64_t count);

  std::size_t room() const { return static_cast<std::size_t>(rows_at_once * step_); }  // floats
  void run(const std::byte* x, std::byte* y, std::int64_t rows, float* room) const;

 private:
  static constexpr std::int64_t rows_at_once = 4;
  struct Row {
    const std::byte* x;
    std::byte* y;
    float* terms;
    float sum;
    std::int32_t greatest;
  };
  enum class Form : std::uint8_t { shares, quotients, logarithms };
  SoftmaxOfCodes(const SoftmaxScales& scales, bool x_signed, std::int64_t count, Form form);
  using Finish = void (*)(const SoftmaxOfCodes&, const Row&);
  using Greatest = std::int32_t (*)(const std::byte*, std::int64_t, bool);
  template <bool is_signed, bool keep, int rows>  // the terms, for finish
  void sum_terms(Row* row) const;
  template <int rows>
  void some(const std::byte* x, std::byte* y, float* room) const;
  void finish(const Row& r) const;
  static void finish_portable(const SoftmaxOfCodes& s, const Row& r);
  static void finish_avx2(const SoftmaxOfCodes& s, const Row& r);
  static void finish_avx512(const SoftmaxOfCodes& s, const Row& r);

  SoftmaxScales scales_;
  bool x_signed_;
  std::int64_t count_, step_;
  Form form_;
  float factor_ = 0;          // of N28; of N89's logarithms x_scale / y_scale
  std::vector<float> terms_;  // the greatest distance first; of N89 times 2^64
  Finish finish_;
  Greatest greatest_;
};

}  // namespace lockstep
