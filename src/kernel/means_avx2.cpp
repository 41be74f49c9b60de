// Means of codes over axes, 8 sums at once.

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "kernel/kernel_means.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#include "num/simd/avx2.h"

#include "kernel/simd/sums.h"

#include "num/simd/means.h"

namespace lockstep {
namespace {
struct Bytes256 : Avx2 {
  // n <= 32 codes as sums of eight in 64-bit lanes; signed ones count 128 too much each.
  static I byte_sums(const std::byte* p, std::int64_t n, bool is_signed) {
    const I shift = _mm256_set1_epi8(is_signed ? -128 : 0);
    if (n >= 32) return _mm256_sad_epu8(_mm256_add_epi8(load(p), shift), zero());
    std::byte rest[32];
    store(rest, shift);  // becomes 0
    std::memcpy(rest, p, static_cast<std::size_t>(n));
    return _mm256_sad_epu8(_mm256_add_epi8(load(rest), shift), zero());
  }
  // The totals of two byte_sums: of a in the lower half, of b in the upper.
  static std::uint64_t totals(I a, I b) {
    const I both = add(a, _mm256_slli_epi64(b, 32));
    const __m128i half =
        _mm_add_epi64(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    return static_cast<std::uint64_t>(
        _mm_cvtsi128_si64(_mm_add_epi64(half, _mm_unpackhi_epi64(half, half))));
  }
};

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"ReduceMean", "ReduceSum"};

}  // namespace

extern constinit const Kernel kernel_means_avx2 = {
    .name = "means_avx2",
    .ops = ops,
    .isa = Isa::avx2,
    .speed = 8,
    .meaning = "means and sums of 8-bit codes over axes, 8 sums at once",
    .order = Order::any,
    .fits = means_fit,
    .prepare =
        [](const KernelProblem& p) {
          return prepare_means(p, {sum_codes<Avx2>, sum_rows<Bytes256>, mean_codes<Avx2>});
        },
};

}  // namespace lockstep
