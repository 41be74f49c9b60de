// y[m,n] = act(alpha * sum_k a[m,k] * b[k,n] + beta * c): float products, every sum one product
// after the other as the operator's `eval` has it, many columns at once
#include <algorithm>
#include <cstring>

#include "kernel/kernel_products_reals.h"
#include "num/activation.h"
#include "op/op_codes.h"

#pragma GCC push_options
#pragma GCC optimize("O3")

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Gemm", "MatMul"};
constexpr std::int64_t columns_at_once = 64;

class ProductsOfReals : public PreparedKernel {
 public:
  explicit ProductsOfReals(const KernelProblem& p) : r_(*real_products_of(p)) {
    if (p.view.node.op == "Gemm") activation_ = activation_of(p.view);
    if (r_.biased) {
      const auto c = p.constants[2]->as<float>();
      bias_.assign(c.begin(), c.end());
    }
    if (!p.constants[1]) return;
    const auto b = p.constants[1]->as<float>();
    weights_.assign(b.begin(), b.end());
    if (!r_.trans_b) return;
    const std::int64_t size = r_.k * r_.n;
    for (std::int64_t at = 0; size > 0 && at < static_cast<std::int64_t>(b.size()); at += size)
      for (std::int64_t k = 0; k < r_.k; ++k)
        for (std::int64_t j = 0; j < r_.n; ++j)
          weights_[static_cast<std::size_t>(at + k * r_.n + j)] =
              b[static_cast<std::size_t>(at + j * r_.k + k)];
    r_.trans_b = false;
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  std::size_t resident_bytes() const override { return (weights_.size() + bias_.size()) * 4; }

  void run(const KernelRun& r) const override {
    const auto* const a = reinterpret_cast<const float*>(r.in[0]);
    const auto* const b =
        weights_.empty() ? reinterpret_cast<const float*>(r.in[1]) : weights_.data();
    auto* const y = reinterpret_cast<float*>(r.out[0]);
    const std::int64_t blocks = (r_.n + columns_at_once - 1) / columns_at_once,
                       units = r_.m * blocks;
    r.workers.each(units * static_cast<std::int64_t>(r_.list.size()), [&](std::int64_t first,
                                                                          std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u) {
        const RealProducts::Matrices& at = r_.list[static_cast<std::size_t>(u / units)];
        columns(a + at.a * r_.m * r_.k, b + at.b * r_.k * r_.n, y + at.y * r_.m * r_.n,
                u % units / blocks, u % blocks * columns_at_once);
      }
    });
  }

 private:
  void columns(const float* a, const float* b, float* y, std::int64_t i, std::int64_t first) const {
    const std::int64_t n = std::min(columns_at_once, r_.n - first), bj = r_.trans_b ? r_.k : 1,
                       bk = r_.trans_b ? 1 : r_.n;
    float sum[columns_at_once] = {};
    for (std::int64_t k = 0; k < r_.k; ++k) {
      const float factor = a[r_.trans_a ? k * r_.m + i : i * r_.k + k];
      const float* const row = b + k * bk + first * bj;
      if (bj == 1 && n == columns_at_once)
        for (std::int64_t j = 0; j < columns_at_once; ++j) sum[j] += factor * row[j];
      else
        for (std::int64_t j = 0; j < n; ++j) sum[j] += factor * row[j * bj];
    }
    float* const out = y + i * r_.n + first;
    for (std::int64_t j = 0; j < n; ++j) {
      float v = sum[j];
      if (r_.alpha != 1) v *= r_.alpha;
      if (r_.biased) {
        const float term =
            bias_[static_cast<std::size_t>(i * r_.bias_row + (first + j) * r_.bias_column)];
        v += r_.beta == 1 ? term : r_.beta * term;
      }
      out[j] = activate(activation_, v);
    }
  }

  RealProducts r_;
  Activation activation_ = Activation::none;
  std::vector<float> weights_, bias_;
};

}  // namespace

extern constinit const Kernel kernel_products_reals = {
    .name = "products_reals",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "products of float matrices, sums one term after the other, 64 columns at once",
    .fits =
        [](const KernelProblem& p) {
          const auto r = real_products_of(p);
          return !p.num.real.matrix && r && !products_from_bias(p, *r);
        },
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<ProductsOfReals>(p);
    },
};

}  // namespace lockstep

#pragma GCC pop_options
