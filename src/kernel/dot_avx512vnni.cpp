// Sums of products of bytes by vpdpbusd on 512 bits: 64 multiply-accumulates an instruction.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 warns inside its own header
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_dot.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
#include "num/simd/avx512.h"
#include "num/simd/requant.h"

#include "kernel/simd/dot.h"
#include "kernel/simd/parts_avx512.h"
#include "kernel/simd/stage.h"

namespace lockstep {
namespace {

struct Product : Avx512Parts {
  // Written out, as gcc keeps sums of the intrinsic in memory where they fill the registers.
  static __m512i dot(__m512i acc, __m512i x, __m512i w) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
    return acc;
  }
  template <int fold>
  static __m512i spread(const std::byte* x) {
    if constexpr (fold == 4)
      return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
    std::int64_t group;
    std::memcpy(&group, x, 8);
    return _mm512_set1_epi64(group);
  }
  static __m512i join(__m512i a, __m512i b) {
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return _mm512_add_epi32(
        _mm512_permutex2var_epi32(a, even, b),
        _mm512_permutex2var_epi32(a, _mm512_or_si512(even, _mm512_set1_epi32(1)), b));
  }
};

// N22 for 64 channels at once: the types' own saturation clamps, but for the far end of the
// positive.
void finish_64(const FinishTile& t) {
  if (t.channels != 64) return finish_float_nearest<Avx512>(t);
  const DotFinish& f = *t.finish;
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i zero = _mm512_set1_epi16(static_cast<short>(f.y_zero)),
                low = _mm512_set1_epi8(static_cast<char>(f.low)),
                high = _mm512_set1_epi8(static_cast<char>(f.high));
  const __m512 far = _mm512_set1_ps(1024.0f);
  __m512 factor[4];
#pragma GCC unroll 4
  for (int v = 0; v < 4; ++v) factor[v] = _mm512_loadu_ps(f.factor.data() + t.first + 16 * v);
  for (std::int64_t r = 0; r < t.rows; ++r) {
    __m512i code[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const __m512 real = _mm512_cvtepi32_ps(_mm512_loadu_si512(t.acc + r * t.acc_step + 16 * v));
      code[v] = _mm512_cvtps_epi32(_mm512_min_ps(_mm512_mul_ps(real, factor[v]), far));
    }
    const __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(code[0], code[1]), zero),
                  second = _mm512_adds_epi16(_mm512_packs_epi32(code[2], code[3]), zero);
    __m512i bytes =
        t.y_signed ? _mm512_packs_epi16(first, second) : _mm512_packus_epi16(first, second);
    bytes = t.y_signed ? _mm512_min_epi8(_mm512_max_epi8(bytes, low), high)
                       : _mm512_min_epu8(_mm512_max_epu8(bytes, low), high);
    _mm512_storeu_si512(t.out + r * t.out_step, _mm512_permutexvar_epi32(order, bytes));
  }
}

template <int log>
constexpr void add_fold(DotSet& s) {
  add_tiles<Avx512, Product, log, log == 0 ? 16 : 14, 1>(s);
  add_tiles<Avx512, Product, log, 12, 2>(s);
  add_tiles<Avx512, Product, log, 8, 3>(s);
  add_tiles<Avx512, Product, log, 6, 4>(s);
  if constexpr (log == 1) {
    add_tiles<Avx512, Product, log, 5, 5>(s);
    add_tiles<Avx512, Product, log, 4, 6>(s);
  }
}

constexpr DotSet make() {
  DotSet s;
  s.lanes = 16;
  add_fold<0>(s);
  add_fold<1>(s);
  add_fold<2>(s);
  s.float_nearest = finish_64;
  s.fixed_twice = finish_fixed_twice<Avx512>;
  s.add_sums = add_sums<Avx512, Product>;
  s.stage = stage_bytes<Avx512, Product>;
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

extern constinit const Kernel kernel_dot_avx512vnni = {
    .name = "dot_avx512vnni",
    .ops = ops,
    .isa = Isa::avx512vnni,
    .speed = 30,
    .meaning = "convolutions and products of 8-bit codes, 64 multiply-accumulates an instruction",
    .order = Order::channels_last,
    .fits = [](const KernelProblem& p) { return dot_fits(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_dot(p, set); },
};

}  // namespace lockstep
