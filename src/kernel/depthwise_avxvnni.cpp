// Depthwise convolutions by vpdpbusd on 256 bits: four taps of 8 channels an instruction.
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_depthwise.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avxvnni")
#include "num/simd/avx2.h"
#include "num/simd/requant.h"

#include "kernel/simd/depthwise.h"
#include "kernel/simd/parts_avx2.h"
#include "kernel/simd/stage.h"

namespace lockstep {
namespace {

struct Bytes : Avx2Parts {
  static I dot(I acc, I x, I w) { return _mm256_dpbusd_avx_epi32(acc, x, w); }
  static I bytes_low(I a, I b) { return _mm256_unpacklo_epi8(a, b); }
  static I bytes_high(I a, I b) { return _mm256_unpackhi_epi8(a, b); }
  static I words_low(I a, I b) { return _mm256_unpacklo_epi16(a, b); }
  static I words_high(I a, I b) { return _mm256_unpackhi_epi16(a, b); }
  template <int join>
  static I load(const std::byte* x, std::int64_t step) {
    if constexpr (join == 1) {
      return Avx2::load(x);
    } else if constexpr (join == 2) {
      const auto part = [&](int k) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + k * step));
      };
      return _mm256_inserti128_si256(_mm256_castsi128_si256(part(0)), part(1), 1);
    } else {
      const auto part = [&](int k) {
        std::int64_t eight;
        std::memcpy(&eight, x + k * step, 8);
        return eight;
      };
      return _mm256_setr_epi64x(part(0), part(1), part(2), part(3));
    }
  }
};

constexpr DepthwiseSet make() {
  DepthwiseSet s;
  add_lines<Avx2, Bytes>(s);
  s.stage = stage_bytes<Avx2, Bytes>;
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

extern constinit const Kernel kernel_depthwise_avxvnni = {
    .name = "depthwise_avxvnni",
    .ops = ops,
    .isa = Isa::avxvnni,
    .speed = 21,
    .meaning = "depthwise convolutions of 8-bit codes, 32 channels and positions at once",
    .order = Order::channels_last,
    .fits = depthwise_fits,
    .prepare = [](const KernelProblem& p) { return prepare_depthwise(p, set); },
};

}  // namespace lockstep
