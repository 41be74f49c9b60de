// y[m,n] = requant(sum_k (a[m,k] - a_zero) * (b[k,n] - b_zero)), both operands computed
#include <algorithm>

#include "kernel/kernel.h"
#include "num/fixed.h"
#include "op/op_codes.h"
#include "op/op_matrix.h"

#pragma GCC push_options
#pragma GCC optimize("O3")

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"MatMul"};
constexpr std::int64_t columns_at_once = 64;

bool byte_wide(const Value& v) {
  return is_code(v) && (v.dtype == DType::i8 || v.dtype == DType::u8);
}

const RequantPolicy* policy_of(const KernelProblem& p) {
  const bool layer = p.view.attrs().text("kernel", "") == "layer";
  return p.num.matmul && !layer ? p.num.matmul : p.num.dense;
}

// sum[j] = sum_k a[k] * b[k][j] for up to 64 columns; wraps as the accumulator does.
struct Columns {
  const std::int32_t *a, *b;
  std::int64_t depth = 0, step = 0, count = 0;  // b's rows lie `step` apart
  std::uint32_t* sum;
};
[[gnu::always_inline]] inline void sums_of(const Columns& c) {
  std::uint32_t sum[columns_at_once] = {};
  for (std::int64_t k = 0; k < c.depth; ++k) {
    const auto factor = static_cast<std::uint32_t>(c.a[k]);
    const std::int32_t* const row = c.b + k * c.step;
    if (c.count == columns_at_once)
      for (std::int64_t j = 0; j < columns_at_once; ++j)
        sum[j] += factor * static_cast<std::uint32_t>(row[j]);
    else
      for (std::int64_t j = 0; j < c.count; ++j)
        sum[j] += factor * static_cast<std::uint32_t>(row[j]);
  }
  std::copy_n(sum, c.count, c.sum);
}
void sums_portable(const Columns& c) {
  sums_of(c);
}
#if defined(__x86_64__)
[[gnu::target("avx2")]] void sums_avx2(const Columns& c) {
  sums_of(c);
}
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]] void sums_avx512(const Columns& c) {
  sums_of(c);
}
#endif
using Sums = void (*)(const Columns&);
Sums pick_sums() {
#if defined(__x86_64__)
  if (runs_here(Isa::avx512)) return sums_avx512;
  if (runs_here(Isa::avx2)) return sums_avx2;
#endif
  return sums_portable;
}

class ProductsOfCodes : public PreparedKernel {
 public:
  explicit ProductsOfCodes(const KernelProblem& p)
      : plan_(*matrix_plan(p.view)), policy_(policy_of(p)), clamp_(clamp_of(p.view)) {
    const Value &a = p.view.input(0), &b = p.view.input(1), &y = p.view.output(0);
    each_matrix(plan_, [&](std::int64_t iy, std::int64_t ia, std::int64_t ib) {
      list_.push_back({iy, ia, ib});
    });
    for (std::int64_t j = 0; j < plan_.n; ++j) {
      const auto column = static_cast<std::size_t>(j);
      rescale_.push_back(
          policy_->prepare(a.quant.scale_at(0), b.quant.scale_at(column), y.quant.scale_at(0)));
      b_zero_.push_back(b.quant.zero_at(plan_.trans_b ? 0 : column));
    }
    a_zero_ = a.quant.zero_at(0);
    y_zero_ = y.quant.zero_at(0);
    a_signed_ = a.dtype == DType::i8;
    b_signed_ = b.dtype == DType::i8;
  }

  // Both operands centred: b of one matrix as [k][n], a as [m][k].
  std::size_t scratch_bytes(int) const override {
    return static_cast<std::size_t>(plan_.k * plan_.n + plan_.m * plan_.k) * 4;
  }
  void run(const KernelRun& r) const override {
    auto* const b = reinterpret_cast<std::int32_t*>(r.scratch);
    std::int32_t* const a = b + plan_.k * plan_.n;
    const std::int64_t blocks = (plan_.n + columns_at_once - 1) / columns_at_once;
    for (const Matrices& at : list_) {
      centre_a(r.in[0] + at.a * plan_.m * plan_.k, a);
      centre_b(r.in[1] + at.b * plan_.k * plan_.n, b);
      std::byte* const y = r.out[0] + at.y * plan_.m * plan_.n;
      r.workers.each(plan_.m * blocks, [&](std::int64_t first, std::int64_t last, int) {
        for (std::int64_t u = first; u < last; ++u)
          columns(a + u / blocks * plan_.k, b, y + u / blocks * plan_.n,
                  u % blocks * columns_at_once);
      });
    }
  }

 private:
  struct Matrices {
    std::int64_t y, a, b;
  };
  static std::int32_t code(std::byte b, bool is_signed) {
    return is_signed ? std::int32_t{static_cast<std::int8_t>(b)}
                     : std::int32_t{static_cast<std::uint8_t>(b)};
  }

  void centre_a(const std::byte* from, std::int32_t* to) const {
    for (std::int64_t i = 0; i < plan_.m; ++i)
      for (std::int64_t k = 0; k < plan_.k; ++k)
        *to++ = code(from[plan_.trans_a ? k * plan_.m + i : i * plan_.k + k], a_signed_) - a_zero_;
  }
  void centre_b(const std::byte* from, std::int32_t* to) const {
    for (std::int64_t k = 0; k < plan_.k; ++k)
      for (std::int64_t j = 0; j < plan_.n; ++j)
        *to++ = code(from[plan_.trans_b ? j * plan_.k + k : k * plan_.n + j], b_signed_) -
                b_zero_[static_cast<std::size_t>(j)];
  }

  void columns(const std::int32_t* a, const std::int32_t* b, std::byte* y,
               std::int64_t first) const {
    const std::int64_t n = std::min(columns_at_once, plan_.n - first);
    std::uint32_t sum[columns_at_once];
    sums_({a, b + first, plan_.k, plan_.n, n, sum});
    for (std::int64_t j = 0; j < n; ++j) {
      const std::int64_t scaled = policy_->apply(static_cast<std::int32_t>(sum[j]),
                                                 rescale_[static_cast<std::size_t>(first + j)]);
      y[first + j] = static_cast<std::byte>(clamp_code(scaled + y_zero_, clamp_.low, clamp_.high));
    }
  }

  Sums sums_ = pick_sums();
  MatrixPlan plan_;
  const RequantPolicy* policy_;
  CodeClamp clamp_;
  std::vector<Matrices> list_;
  std::vector<Rescale> rescale_;
  std::vector<std::int32_t> b_zero_;
  std::int32_t a_zero_ = 0, y_zero_ = 0;
  bool a_signed_ = false, b_signed_ = false;
};

bool fits(const KernelProblem& p) {
  if (p.constants[0] || p.constants[1] || p.num.pairs_saturate || p.num.product) return false;
  return byte_wide(p.view.input(0)) && byte_wide(p.view.input(1)) && byte_wide(p.view.output(0)) &&
         policy_of(p) && matrix_plan(p.view).ok();
}

}  // namespace

extern constinit const Kernel kernel_products_codes = {
    .name = "products_codes",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "products of two computed matrices of codes",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<ProductsOfCodes>(p);
    },
};

}  // namespace lockstep

#pragma GCC pop_options
