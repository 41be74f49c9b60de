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

// N22 for what makes 64 bytes: `rows` rows of 64 / rows channels, `n` of them valid.
template <int rows>
void finish_64(const FinishTile& t, std::int64_t c, std::int64_t n) {
  constexpr int vecs = 4 / rows;
  const DotFinish& f = *t.finish;
  __m512 factor[vecs];
#pragma GCC unroll 4
  for (int v = 0; v < vecs; ++v)
    factor[v] = _mm512_loadu_ps(f.factor.data() + t.first + c + 16 * v);
  for (std::int64_t r = 0; r < t.rows; r += rows) {
    __m512i code[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
      code[i] = float_nearest_wide<Avx512>(
          Avx512::load(t.acc + (r + i / vecs) * t.acc_step + c + 16 * (i % vecs)),
          factor[i % vecs]);
    const __m512i bytes =
        Product::in_order(codes_of_nearest<Product>(code, f.y_zero, f.low, f.high, t.y_signed));
    std::byte* const out = t.out + r * t.out_step + c;
    const std::int64_t left = t.rows - r;
    if constexpr (rows == 1) {
      Product::store_part(out, bytes, n);
    } else if constexpr (rows == 2) {
      const auto mask = static_cast<__mmask32>(n >= 32 ? ~0u : (1u << n) - 1);
      _mm256_mask_storeu_epi8(out, mask, _mm512_castsi512_si256(bytes));
      if (left > 1)
        _mm256_mask_storeu_epi8(out + t.out_step, mask, _mm512_extracti64x4_epi64(bytes, 1));
    } else {
      const auto mask = static_cast<__mmask16>(n >= 16 ? 0xffff : (1u << n) - 1);
      _mm_mask_storeu_epi8(out, mask, _mm512_castsi512_si128(bytes));
      if (left > 1)
        _mm_mask_storeu_epi8(out + t.out_step, mask, _mm512_extracti32x4_epi32(bytes, 1));
      if (left > 2)
        _mm_mask_storeu_epi8(out + 2 * t.out_step, mask, _mm512_extracti32x4_epi32(bytes, 2));
      if (left > 3)
        _mm_mask_storeu_epi8(out + 3 * t.out_step, mask, _mm512_extracti32x4_epi32(bytes, 3));
    }
  }
}

// One row, whole vectors of it: returns the first channel after them.
std::int64_t finish_row(const FinishTile& t) {
  const DotFinish& f = *t.finish;
  const float* const factor = f.factor.data() + t.first;
  std::int64_t c = 0;
  for (; c + 64 <= t.channels; c += 64) {
    __m512i code[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
      code[i] = float_nearest_wide<Avx512>(Avx512::load(t.acc + c + 16 * i),
                                           _mm512_loadu_ps(factor + c + 16 * i));
    _mm512_storeu_si512(t.out + c, Product::in_order(codes_of_nearest<Product>(
                                       code, f.y_zero, f.low, f.high, t.y_signed)));
  }
  return c;
}

void finish_nearest(const FinishTile& t) {
  for (std::int64_t c = t.rows == 1 ? finish_row(t) : 0; c < t.channels; c += 64) {
    const std::int64_t n = t.channels - c;
    n > 32 ? finish_64<1>(t, c, n) : n > 16 ? finish_64<2>(t, c, n) : finish_64<4>(t, c, n);
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
  s.float_nearest = finish_nearest;
  s.fixed_twice = finish_fixed_twice<Avx512>;
  s.by_factor = finish_by_factor<Avx512>;
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
constexpr std::string_view ops[] = {"Conv",   "ConvTranspose", "Gemm",
                                    "MatMul", "SequenceLstm",  "Svdf"};

}  // namespace

extern constinit const Kernel kernel_dot_avx512vnni = {
    .name = "dot_avx512vnni",
    .ops = ops,
    .isa = Isa::avx512vnni,
    .speed = 30,
    .meaning =
        "convolutions, products and recurrences of 8-bit codes, 64 multiply-accumulates an "
        "instruction",
    .order = Order::channels_last,
    .fits = [](const KernelProblem& p) { return dot_fits(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_dot(p, set); },
};

}  // namespace lockstep
