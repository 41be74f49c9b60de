// Matrix products in onnxruntime's order (N30 to N32).
#include <algorithm>
#include <cmath>
#include <vector>

#include "num/ort_float.h"

namespace lockstep {
namespace {

// acc[i] = fma(a, b[i], acc[i]): one step of k for a run of columns.
void fused_step_portable(float a, const float* b, float* acc, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) acc[i] = std::fma(a, b[i], acc[i]);
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
[[gnu::target("avx2,fma"), gnu::optimize("O3")]] void fused_step_fma(float a, const float* b,
                                                                     float* acc, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) acc[i] = __builtin_fmaf(a, b[i], acc[i]);
}
using FusedStep = void (*)(float, const float*, float*, std::int64_t);
FusedStep pick_fused_step() {
  return __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2") ? fused_step_fma
                                                                         : fused_step_portable;
}
#else
using FusedStep = void (*)(float, const float*, float*, std::int64_t);
FusedStep pick_fused_step() {
  return fused_step_portable;
}
#endif

// N31: one row times a matrix: products rounded, four at a time before they meet what is there.
void row_times_matrix(const float* a, const OrtGemm& g, std::int64_t columns, std::int64_t k,
                      const float* b, std::int64_t ldb) {
  bool add = g.add;
  for (std::int64_t at = 0; at < k;) {
    const std::int64_t step = k - at >= 4 ? 4 : k - at >= 2 ? 2 : 1;
    for (std::int64_t n = 0; n < columns; ++n) {
      float t = a[at] * b[at * ldb + n];
      for (std::int64_t i = 1; i < step; ++i) t = t + a[at + i] * b[(at + i) * ldb + n];
      g.c[n] = t + (add ? g.c[n] : 0.0f);
    }
    add = true;
    at += step;
  }
}

// N32: one row times a transposed matrix: eight interleaved sums, joined by position of the column.
float joined(const float* s, std::int64_t n, std::int64_t columns) {
  const std::int64_t in_fours = columns / 4 * 4;
  if (n < in_fours) return (((s[0] + s[1]) + s[2]) + s[3]) + (((s[4] + s[5]) + s[6]) + s[7]);
  if (columns - in_fours >= 2 && n < in_fours + 2)
    return ((s[2] + s[0]) + (s[6] + s[4])) + ((s[3] + s[1]) + (s[7] + s[5]));
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

void row_times_transposed(const float* a, const OrtGemm& g, std::int64_t columns, const float* b,
                          std::int64_t ldb) {
  for (std::int64_t n = 0; n < columns; ++n) {
    float sums[8] = {};
    for (std::int64_t k = 0; k < g.k; ++k) sums[k % 8] = sums[k % 8] + a[k] * b[n * ldb + k];
    g.c[n] = joined(sums, n, columns) + (g.add ? g.c[n] : 0.0f);
  }
}

}  // namespace

void ort_blocked_product(const OrtGemm& g, std::int64_t block) {
  static const FusedStep fused_step = pick_fused_step();
  constexpr std::int64_t width = 512;
  std::vector<float> acc(static_cast<std::size_t>(std::min(width, g.n)));
  std::vector<float> panel;
  for (std::int64_t n0 = 0; n0 < g.n; n0 += width) {
    const std::int64_t wide = std::min(width, g.n - n0);
    if (g.b_transposed) {
      panel.resize(static_cast<std::size_t>(g.k * wide));
      for (std::int64_t n = 0; n < wide; ++n)
        for (std::int64_t k = 0; k < g.k; ++k)
          panel[static_cast<std::size_t>(k * wide + n)] = g.b[(n0 + n) * g.ldb + k];
    }
    const float* b = g.b_transposed ? panel.data() : g.b + n0;
    const std::int64_t ldb = g.b_transposed ? wide : g.ldb;
    for (std::int64_t m = 0; m < g.m; ++m)
      for (std::int64_t k0 = 0; k0 < g.k; k0 += block) {
        std::fill(acc.begin(), acc.end(), 0.0f);
        for (std::int64_t k = k0; k < std::min(g.k, k0 + block); ++k)
          fused_step(g.a_transposed ? g.a[k * g.lda + m] : g.a[m * g.lda + k], b + k * ldb,
                     acc.data(), wide);
        float* c = g.c + m * g.ldc + n0;
        const bool add = g.add || k0 > 0;
        for (std::int64_t n = 0; n < wide; ++n)
          c[n] = add ? acc[static_cast<std::size_t>(n)] + c[n] : acc[static_cast<std::size_t>(n)];
      }
  }
}

namespace {

// The longest run of k that the unpacked kernel takes at once.
std::int64_t block_of(const OrtGemm& g) {
  std::int64_t columns = 128, block = 128;
  if (g.n >= g.k) return block;  // fewer than 128: then k fits anyway
  while (!g.a_transposed && columns > 16 && columns / 2 >= g.n) columns /= 2, block *= 2;
  return block;
}

}  // namespace

void ort_gemm(const OrtGemm& g) {
  if (g.m == 1 && !g.a_transposed) {
    if (g.b_transposed)
      row_times_transposed(g.a, g, g.n, g.b, g.ldb);
    else
      row_times_matrix(g.a, g, g.n, g.k, g.b, g.ldb);
    return;
  }
  if (g.n == 1 && g.ldb == 1 && g.ldc == 1) {
    if (g.a_transposed)
      row_times_matrix(g.b, g, g.m, g.k, g.a, g.lda);
    else
      row_times_transposed(g.b, g, g.m, g.a, g.lda);
    return;
  }
  ort_blocked_product(g, block_of(g));
}

void ort_matrix(const MatrixProblem& p) {
  OrtGemm g{.m = p.m,
            .n = p.n,
            .k = p.k,
            .a = p.a,
            .lda = p.a_transposed ? p.m : p.k,
            .b = p.b,
            .ldb = p.b_transposed ? p.k : p.n,
            .c = p.y,
            .ldc = p.n,
            .a_transposed = p.a_transposed,
            .b_transposed = p.b_transposed,
            .add = p.start};
  if (p.k == 0) {
    if (!p.start) std::fill(p.y, p.y + p.m * p.n, 0.0f);
    return;
  }
  constexpr std::int64_t packed_block = 256;
  if (p.b_constant)
    ort_blocked_product(g, packed_block);
  else
    ort_gemm(g);
}

namespace {

// Sixteen interleaved sums of one column: columns in fours by quarters of four, the last ones by
// halves.
float joined_sixteen(const float* s, bool in_fours) {
  if (!in_fours) {
    float half[8], quarter[4];
    for (int i = 0; i < 8; ++i) half[i] = s[i] + s[i + 8];
    for (int i = 0; i < 4; ++i) quarter[i] = half[i] + half[i + 4];
    return (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
  }
  float part[4];
  for (int i = 0; i < 4; ++i) part[i] = ((s[4 * i] + s[4 * i + 1]) + s[4 * i + 2]) + s[4 * i + 3];
  return (part[0] + part[2]) + (part[1] + part[3]);
}

}  // namespace

void ort_product_of_codes(const MatrixProblem& p) {
  if (p.m != 1) {
    const OrtGemm g{.m = p.m,
                    .n = p.n,
                    .k = p.k,
                    .a = p.a,
                    .lda = p.k,
                    .b = p.b,
                    .ldb = p.k,
                    .c = p.y,
                    .ldc = p.n,
                    .b_transposed = true};
    return ort_blocked_product(g, p.k);
  }
  for (std::int64_t n = 0; n < p.n; ++n) {
    float sums[16] = {};
    for (std::int64_t k = 0; k < p.k; ++k)
      sums[k % 16] = std::fma(p.b[n * p.k + k], p.a[k], sums[k % 16]);
    p.y[n] = joined_sixteen(sums, n < p.n / 4 * 4);
  }
}

}  // namespace lockstep
