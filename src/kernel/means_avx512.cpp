// Means of codes over axes, 16 sums at once.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 warns inside its own header
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "kernel/kernel_means.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#include "num/simd/avx512.h"

#include "kernel/simd/sums.h"

#include "num/simd/means.h"

namespace lockstep {
namespace {
struct Bytes512 : Avx512 {
  // n <= 64 codes as sums of eight in 64-bit lanes; signed ones count 128 too much each.
  static I byte_sums(const std::byte* p, std::int64_t n, bool is_signed) {
    const __mmask64 there = n >= 64 ? ~__mmask64{0} : (__mmask64{1} << n) - 1;
    const I x = _mm512_maskz_loadu_epi8(there, p);
    return _mm512_sad_epu8(is_signed ? _mm512_maskz_add_epi8(there, x, _mm512_set1_epi8(-128)) : x,
                           zero());
  }
  // The totals of two byte_sums: of a in the lower half, of b in the upper.
  static std::uint64_t totals(I a, I b) {
    return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(add(a, _mm512_slli_epi64(b, 32))));
  }
};

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"ReduceMean", "ReduceSum"};

}  // namespace

extern constinit const Kernel kernel_means_avx512 = {
    .name = "means_avx512",
    .ops = ops,
    .isa = Isa::avx512,
    .speed = 16,
    .meaning = "means and sums of 8-bit codes over axes, 16 sums at once",
    .order = Order::any,
    .fits = means_fit,
    .prepare =
        [](const KernelProblem& p) {
          return prepare_means(p, {sum_codes<Avx512>, sum_rows<Bytes512>, mean_codes<Avx512>});
        },
};

}  // namespace lockstep
