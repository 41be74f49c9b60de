// Depthwise convolutions by vpdpbusd on 256 bits: four taps of 8 channels an instruction.
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_depthwise.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avxvnni")
#include "num/simd/avx2.h"
#include "num/simd/requant.h"
#include "kernel/simd/depthwise.h"

namespace lockstep {
namespace {

struct Bytes {
  using I = __m256i;
  static I dot(I acc, I x, I w) { return _mm256_dpbusd_avx_epi32(acc, x, w); }
  static I bytes_low(I a, I b) { return _mm256_unpacklo_epi8(a, b); }
  static I bytes_high(I a, I b) { return _mm256_unpackhi_epi8(a, b); }
  static I words_low(I a, I b) { return _mm256_unpacklo_epi16(a, b); }
  static I words_high(I a, I b) { return _mm256_unpackhi_epi16(a, b); }
  static I words(I a, I b) { return _mm256_packs_epi32(a, b); }
  static I signed_bytes(I a, I b) { return _mm256_packs_epi16(a, b); }
  static I unsigned_bytes(I a, I b) { return _mm256_packus_epi16(a, b); }
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
  static void store(std::byte* p, I v, std::int64_t n) {
    if (n >= 32) return Avx2::store(p, v);
    alignas(32) std::byte all[32];
    Avx2::store(all, v);
    std::memcpy(p, all, static_cast<std::size_t>(n));
  }
};

void stage(const std::byte* x, std::byte* to, std::int64_t count, std::int32_t flip, bool) {
  const __m256i f = _mm256_set1_epi8(static_cast<char>(flip));
  std::int64_t i = 0;
  for (; i + 32 <= count; i += 32) Avx2::store(to + i, Avx2::bit_xor(Avx2::load(x + i), f));
  for (; i < count; ++i) to[i] = x[i] ^ static_cast<std::byte>(flip);
}

constexpr DepthwiseSet make() {
  DepthwiseSet s;
  add_lines<Avx2, Bytes>(s);
  s.stage = stage;
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
