#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernel/kernel.h"

namespace lockstep {

// A Gemm or MatMul of float operands, the first computed: y = alpha * a * b + beta * c.
struct RealProducts {
  std::int64_t m = 0, n = 0, k = 0;
  bool trans_a = false, trans_b = false;
  struct Matrices {
    std::int64_t y, a, b;  // counted in whole matrices
  };
  std::vector<Matrices> list;
  float alpha = 1, beta = 1;
  bool biased = false;
  std::int64_t bias_row = 0, bias_column = 0;  // strides of c, which is constant
};

std::optional<RealProducts> real_products_of(const KernelProblem& p);

// N107, as the operators' `eval` has it.
bool products_from_bias(const KernelProblem& p, const RealProducts& r);

}  // namespace lockstep
