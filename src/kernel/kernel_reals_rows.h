#pragma once

#include <vector>

#include "kernel/kernel_reals.h"
#include "num/numerics.h"

namespace lockstep {

// y[rows, n] = x[rows, k] * w[n, k]^T, or y + that, w given once: as `eval` sums them, by tiles.
class RealRows {
 public:
  // `stored`: w is a constant of the file, which runtimes pack (N30).
  RealRows(const RealSet& set, const FloatPolicy& real, const float* w, std::int64_t n,
           std::int64_t k, bool stored);
  void run(const float* x, std::int64_t rows, float* y, bool add) const;
  std::size_t bytes() const;

 private:
  void block(const float* x, std::int64_t rows, std::int64_t first, std::int64_t end, float* y,
             bool add) const;
  bool along_vectors(std::int64_t rows) const;

  const RealSet* set_;
  std::int64_t n_, k_, panels_, block_;
  bool fused_, stored_;
  std::vector<std::int64_t> offset_;
  std::vector<float> packed_, plain_;
};

}  // namespace lockstep
