// Sums of products of 16-bit codes and 8-bit weights by vpmaddwd on 256 bits, where no sum can
// leave 32 bits.
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

constexpr DotSet make() {
  DotSet s;
  s.lanes = 8;
  s.words = s.wide = true;
  add_tiles<Avx2, Product, 0, 8, 1>(s);
  add_tiles<Avx2, Product, 0, 5, 2>(s);
  return s;
}

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr DotSet set = make();
constexpr std::string_view ops[] = {"Conv", "ConvTranspose", "Gemm", "MatMul"};

}  // namespace

extern constinit const Kernel kernel_dot16_avx2 = {
    .name = "dot16_avx2",
    .ops = ops,
    .isa = Isa::avx2,
    .speed = 10,
    .meaning = "convolutions and products of 16-bit codes",
    .order = Order::channels_last,
    .fits = [](const KernelProblem& p) { return dot_fits(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_dot(p, set); },
};

}  // namespace lockstep
