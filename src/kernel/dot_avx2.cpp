// Sums of products of words by vpmaddwd on 256 bits: exact for any 8-bit codes, since two products
// of codes without their zero points stay far below 2^31.
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_dot.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#include "num/simd/avx2.h"
#include "num/simd/requant.h"

#include "kernel/simd/dot.h"

namespace lockstep {
namespace {

struct Product {
  static __m256i dot(__m256i acc, __m256i x, __m256i w) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(x, w));
  }
};

void stage(const std::byte* x, std::byte* to, std::int64_t count, std::int32_t zero,
           bool is_signed) {
  const __m256i z = _mm256_set1_epi16(static_cast<short>(zero));
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i));
    const __m256i words = is_signed ? _mm256_cvtepi8_epi16(codes) : _mm256_cvtepu8_epi16(codes);
    Avx2::store(to + 2 * i, _mm256_sub_epi16(words, z));
  }
  for (; i < count; ++i) {
    const std::int32_t code = is_signed ? std::int32_t{static_cast<std::int8_t>(x[i])}
                                        : std::int32_t{static_cast<std::uint8_t>(x[i])};
    const auto word = static_cast<std::int16_t>(code - zero);
    std::memcpy(to + 2 * i, &word, 2);
  }
}

constexpr DotSet make() {
  DotSet s;
  s.lanes = 8;
  s.words = true;
  add_tiles<Avx2, Product, 0, 8, 1>(s);
  add_tiles<Avx2, Product, 0, 5, 2>(s);
  s.float_nearest = finish_float_nearest<Avx2>;
  s.fixed_twice = finish_fixed_twice<Avx2>;
  s.stage = stage;
  return s;
}

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr DotSet set = make();
constexpr std::string_view ops[] = {"Conv", "Gemm", "MatMul"};

}  // namespace

extern constinit const Kernel kernel_dot_avx2 = {
    .name = "dot_avx2",
    .ops = ops,
    .isa = Isa::avx2,
    .speed = 10,
    .meaning = "convolutions and products of 8-bit codes as 16-bit words",
    .order = Order::channels_last,
    .fits = [](const KernelProblem& p) { return dot_fits(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_dot(p, set); },
};

}  // namespace lockstep
