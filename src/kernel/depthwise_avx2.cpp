// Depthwise convolutions of 8-bit codes as words by vpmaddwd on 256 bits: two taps of 8 channels an
// instruction.
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_depthwise.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#include "num/simd/avx2.h"
#include "num/simd/requant.h"

#include "kernel/simd/depthwise.h"
#include "kernel/simd/parts_avx2.h"
#include "kernel/simd/stage.h"

namespace lockstep {
namespace {

struct Words : Avx2Runs {
  static constexpr int sums = 2;
  static __m256i dot(__m256i acc, __m256i x, __m256i w) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(x, w));
  }
};

constexpr DepthwiseSet make() {
  DepthwiseSet s;
  s.words = true;
  add_form<Avx2, Words, 0>(s);
  add_form<Avx2, Words, 1>(s);
  add_form<Avx2, Words, 2>(s);
  s.stage = stage_words<Avx2, Words>;
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

extern constinit const Kernel kernel_depthwise_avx2 = {
    .name = "depthwise_avx2",
    .ops = ops,
    .isa = Isa::avx2,
    .speed = 11,
    .meaning = "depthwise convolutions of 8-bit codes as words, 16 channels and positions at once",
    .order = Order::channels_last,
    .fits = [](const KernelProblem& p) { return depthwise_fits(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_depthwise(p, set); },
};

}  // namespace lockstep
