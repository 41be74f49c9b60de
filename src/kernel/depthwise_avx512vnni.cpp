// Depthwise convolutions by vpdpbusd on 512 bits: four taps of 16 channels an instruction.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 warns inside its own header
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_depthwise.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
#include "num/simd/avx512.h"
#include "num/simd/requant.h"

#include "kernel/simd/depthwise.h"
#include "kernel/simd/parts_avx512.h"
#include "kernel/simd/stage.h"

namespace lockstep {
namespace {

struct Bytes : Avx512Parts {
  static I dot(I acc, I x, I w) { return _mm512_dpbusd_epi32(acc, x, w); }
  static I bytes_low(I a, I b) { return _mm512_unpacklo_epi8(a, b); }
  static I bytes_high(I a, I b) { return _mm512_unpackhi_epi8(a, b); }
  static I words_low(I a, I b) { return _mm512_unpacklo_epi16(a, b); }
  static I words_high(I a, I b) { return _mm512_unpackhi_epi16(a, b); }
  template <int join>
  static I load(const std::byte* x, std::int64_t step) {
    if constexpr (join == 1) return _mm512_loadu_si512(x);
    if constexpr (join == 2)
      return _mm512_inserti64x4(
          _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x))),
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + step)), 1);
    const auto part = [&](int k) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + k * step));
    };
    I v = _mm512_castsi128_si512(part(0));
    v = _mm512_inserti32x4(v, part(1), 1);
    v = _mm512_inserti32x4(v, part(2), 2);
    return _mm512_inserti32x4(v, part(3), 3);
  }
};

constexpr DepthwiseSet make() {
  DepthwiseSet s;
  add_lines<Avx512, Bytes>(s);
  s.stage = stage_bytes<Avx512, Bytes>;
  return s;
}

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr DepthwiseSet set = make();
constexpr std::string_view ops[] = {"Conv"};

}  // namespace

extern constinit const Kernel kernel_depthwise_avx512vnni = {
    .name = "depthwise_avx512vnni",
    .ops = ops,
    .isa = Isa::avx512vnni,
    .speed = 31,
    .meaning = "depthwise convolutions of 8-bit codes, 64 channels and positions at once",
    .order = Order::channels_last,
    .fits = depthwise_fits,
    .prepare = [](const KernelProblem& p) { return prepare_depthwise(p, set); },
};

}  // namespace lockstep
